from deepslate import flow


@flow
async def total(n: int) -> int:
    if n > 1:
    return n


@flow
async def compare(n: int) -> bool:
    if n = 1:
        return True
    return False
