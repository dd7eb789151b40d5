-- What BigQuery's functions do and DuckDB's do otherwise. A macro is text: its arguments stand in it wherever it names them.
-- Sources: the function reference of GoogleSQL, https://cloud.google.com/bigquery/docs/reference/standard-sql/

-- An error of ours, with its message. DuckDB's error() may stand in few places, since it counts as changing from row to row.
CREATE MACRO bq_error(message) AS CAST('bigquery: ' || message AS BIGINT);

-- Numbers: a division by zero is an error, and so is what has no value.
CREATE MACRO bq_divide(x, y) AS
    x / CASE WHEN y = 0 THEN CAST(bq_error('division by zero: ' || x || ' / ' || y) AS DOUBLE) ELSE y END;
CREATE MACRO bq_safe_divide(x, y) AS CASE WHEN y <> 0 THEN x / y END;
CREATE MACRO bq_ln(x) AS
    ln(CASE WHEN x <= 0 THEN CAST(bq_error('Floating point error in function: LN(' || x || ')') AS DOUBLE) ELSE x END);
CREATE MACRO bq_sqrt(x) AS
    sqrt(CASE WHEN x < 0 THEN CAST(bq_error('Floating point error in function: SQRT(' || x || ')') AS DOUBLE) ELSE x END);
CREATE MACRO bq_pow(x, y) AS
    CASE WHEN x IS NULL OR y IS NULL OR isfinite(pow(CAST(x AS DOUBLE), CAST(y AS DOUBLE)))
         THEN pow(CAST(x AS DOUBLE), CAST(y AS DOUBLE))
         ELSE CAST(bq_error('Floating point error in function: POW(' || x || ', ' || y || ')') AS DOUBLE)
    END;

-- Casts: halves go away from zero, and a text is read as a whole.
CREATE MACRO bq_int_of_number(x) AS CAST(round(x) AS BIGINT);
CREATE MACRO bq_try_int_of_text(x) AS
    CASE WHEN regexp_full_match(x, '\s*[+-]?[0-9]+\s*') THEN TRY_CAST(x AS BIGINT)
         WHEN regexp_full_match(x, '\s*[+-]?0[xX][0-9a-fA-F]+\s*')
         THEN CASE WHEN contains(x, '-') THEN -1 ELSE 1 END * TRY_CAST(regexp_replace(x, '[\s+-]', '', 'g') AS BIGINT)
    END;
CREATE MACRO bq_int_of_text(x) AS
    CASE WHEN x IS NULL OR bq_try_int_of_text(x) IS NOT NULL THEN bq_try_int_of_text(x)
         ELSE bq_error('Bad int64 value: ' || x)
    END;
CREATE MACRO bq_float_of_text(x) AS
    CASE WHEN x IS NULL OR (TRY_CAST(x AS DOUBLE) IS NOT NULL AND NOT contains(x, '_')) THEN TRY_CAST(x AS DOUBLE)
         ELSE CAST(bq_error('Bad double value: ' || x) AS DOUBLE)
    END;
CREATE MACRO bq_bool_of_text(x) AS
    CASE WHEN x IS NULL OR lower(x) IN ('true', 'false') THEN lower(x) = 'true'
         ELSE CAST(bq_error('Bad bool value: ' || x) AS BOOLEAN)
    END;
CREATE MACRO bq_text_of_float(x) AS
    CASE WHEN isnan(x) THEN 'NaN'
         WHEN CAST(printf('%.15g', x) AS DOUBLE) = x THEN printf('%.15g', x)
         ELSE printf('%.17g', x)
    END;
CREATE MACRO bq_text_of_numeric(x) AS regexp_replace(regexp_replace(CAST(x AS VARCHAR), '(\.[0-9]*?)0+$', '\1'), '\.$', '');

-- Times: a fraction of a second has three digits or six, or there is none.
CREATE MACRO bq_time_of_timestamp(x) AS CAST(CAST(x AS TIMESTAMP) AS TIME);
CREATE MACRO bq_fraction(x) AS
    CASE WHEN date_part('microsecond', x) % 1000000 = 0 THEN ''
         WHEN date_part('microsecond', x) % 1000 = 0 THEN '.' || lpad(CAST(date_part('microsecond', x) % 1000000 // 1000 AS VARCHAR), 3, '0')
         ELSE '.' || lpad(CAST(date_part('microsecond', x) % 1000000 AS VARCHAR), 6, '0')
    END;
CREATE MACRO bq_text_of_timestamp(x) AS strftime(x, '%Y-%m-%d %H:%M:%S') || bq_fraction(x) || '+00';
CREATE MACRO bq_text_of_datetime(x) AS strftime(x, '%Y-%m-%d %H:%M:%S') || bq_fraction(x);
CREATE MACRO bq_text_of_time(x) AS substr(CAST(x AS VARCHAR), 1, 8) || bq_fraction(x);
CREATE MACRO bq_floor_div(x, y) AS x // y - CASE WHEN x % y < 0 THEN 1 ELSE 0 END;
CREATE MACRO bq_whole_parts(later, earlier, part) AS (later - earlier) // part;

-- Texts.
CREATE MACRO bq_start(x, start) AS CASE WHEN start = 0 OR start < -length(x) THEN 1 ELSE start END;
CREATE MACRO bq_substr(x, start) AS substr(x, bq_start(x, start));
CREATE MACRO bq_substr_of(x, start, count) AS
    substr(x, bq_start(x, start), CASE WHEN count < 0 THEN bq_error('Third argument in SUBSTR() cannot be negative') ELSE count END);
CREATE MACRO bq_count(n, name) AS
    CASE WHEN n < 0 THEN bq_error('Second argument in ' || name || '() cannot be negative') ELSE n END;
CREATE MACRO bq_trim(x) AS regexp_replace(x, '^[\s\pZ]+|[\s\pZ]+$', '', 'g');
CREATE MACRO bq_ltrim(x) AS regexp_replace(x, '^[\s\pZ]+', '');
CREATE MACRO bq_rtrim(x) AS regexp_replace(x, '[\s\pZ]+$', '');
CREATE MACRO bq_regexp_extract(x, pattern, part) AS
    CASE WHEN regexp_matches(x, pattern) THEN regexp_extract(x, pattern, part) END;

-- Arrays.
CREATE MACRO bq_element(list, place) AS
    list[CASE WHEN place < 1 OR place > len(list) THEN bq_error('Array index ' || place - 1 || ' is out of bounds') ELSE place END];
CREATE MACRO bq_safe_element(list, place) AS CASE WHEN place >= 1 THEN list[place] END;
CREATE MACRO bq_array_concat(x, y) AS CASE WHEN x IS NOT NULL AND y IS NOT NULL THEN list_concat(x, y) END;

-- JSON. What is no JSON has no parts.
CREATE MACRO bq_json_value(x, path) AS
    CASE WHEN json_valid(x) AND json_type(x, path) NOT IN ('OBJECT', 'ARRAY', 'NULL') THEN json_extract_string(x, path) END;
CREATE MACRO bq_json_query(x, path) AS CASE WHEN json_valid(x) THEN json_extract(x, path) END;
CREATE MACRO bq_json_query_array(x, path) AS
    CASE WHEN json_valid(x) AND json_type(x, path) = 'ARRAY' THEN from_json(json_extract(x, path), '["JSON"]') END;
CREATE MACRO bq_json_value_array(x, path) AS
    CASE WHEN json_valid(x) AND json_type(x, path) = 'ARRAY' THEN from_json(json_extract(x, path), '["VARCHAR"]') END;
CREATE MACRO bq_json_type(x) AS
    CASE json_type(x)
        WHEN 'OBJECT' THEN 'object' WHEN 'ARRAY' THEN 'array' WHEN 'VARCHAR' THEN 'string' WHEN 'BOOLEAN' THEN 'boolean'
        WHEN 'NULL' THEN 'null' ELSE CASE WHEN x IS NOT NULL THEN 'number' END
    END;
CREATE MACRO bq_json_of_int(x) AS
    CASE WHEN abs(x) > 9007199254740992 THEN '"' || x || '"' ELSE CAST(x AS VARCHAR) END;
CREATE MACRO bq_json_of_float(x) AS
    CASE WHEN isnan(x) THEN '"NaN"' WHEN isinf(x) THEN CASE WHEN x > 0 THEN '"Infinity"' ELSE '"-Infinity"' END
         ELSE bq_text_of_float(x)
    END;
CREATE MACRO bq_json_of_numeric(x) AS bq_text_of_numeric(x);
CREATE MACRO bq_json_of_timestamp(x) AS '"' || strftime(x, '%Y-%m-%dT%H:%M:%S') || bq_fraction(x) || 'Z"';
CREATE MACRO bq_json_of_datetime(x) AS '"' || strftime(x, '%Y-%m-%dT%H:%M:%S') || bq_fraction(x) || '"';
