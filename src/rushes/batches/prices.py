"""What a language model will cost, from the public price list that comes with pydantic-ai. Nothing is fetched."""

from __future__ import annotations

from rushes.batches.estimate import Rate

# Nine thousand words at four tokens for three of them, and half as much again for times and instructions.
TOKENS_READ_PER_HOUR = 18_000
TOKENS_WRITTEN_PER_HOUR = 1500


def rate_of(model: str) -> Rate:
    """A model's price for each hour of talk; its speed nobody knows beforehand.

    Args:
        model: `provider:name`.
    """
    cost = _price(model)
    return Rate(f"{model}: {'list price' if cost is not None else 'price unknown'}", cost_per_hour=cost)


def _price(model: str) -> float | None:
    try:
        from genai_prices import Usage, calc_price
    except ImportError:  # the extra `llm` is not installed
        return None
    provider, _, name = model.partition(":")
    usage = Usage(input_tokens=TOKENS_READ_PER_HOUR, output_tokens=TOKENS_WRITTEN_PER_HOUR)
    try:
        return float(calc_price(usage, name, provider_id=provider).total_price)
    except LookupError:
        return None
