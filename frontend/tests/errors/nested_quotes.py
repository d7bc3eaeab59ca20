from deepslate import flow


@flow
async def show(prices: dict[str, int]) -> str:
    return f"apples cost {prices["apple"]}"
