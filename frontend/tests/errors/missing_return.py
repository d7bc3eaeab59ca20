from deepslate import flow


@flow
async def sign(n: int) -> int:
    if n > 0:
        return 1
    elif n < 0:
        return -1


@flow
async def search(names: list[str]) -> str:
    for name in names:
        if name:
            return name
