from deepslate import flow


@flow
async def total(n: int) -> int:
    xs = [1, 2, n
    return xs[0]


@flow
async def other(n: int) -> int:
    return m
