from deepslate import flow


@flow
async def main(n: int) -> int:
    n(3)
    5(1)
    f = main
    g = len
    return n
