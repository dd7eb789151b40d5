"""The schema's history: `versions/NNNN_name.sql`, applied in order. The highest number is what this program needs."""
