from deepslate import flow


@flow
async def main(n: int) -> int:
    n(3)
    5(1)
    print(main)
    print(len)
    return n
