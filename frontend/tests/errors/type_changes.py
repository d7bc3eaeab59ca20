from deepslate import flow


@flow
async def main(n: int) -> int:
    value = 1
    value = "text"
    total = 0
    total = total / 2
    n: str = "x"
    found = None
    found = 3
    found = "text"
    return value
