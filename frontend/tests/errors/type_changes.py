from deepslate import flow


@flow
async def main(n: int) -> int:
    value: int = 1
    value = "text"
    total: int = 0
    total = total / 2
    n: str = "x"
    found: int | None = None
    found = 3
    found = "text"
    return value
