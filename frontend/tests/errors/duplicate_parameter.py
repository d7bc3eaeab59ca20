from deepslate import flow


@flow
async def run(n: int, n: int) -> int:
    return n
