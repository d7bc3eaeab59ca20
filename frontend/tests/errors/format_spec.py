from deepslate import flow


@flow
async def main(xs: list[int]) -> str:
    return f"{xs:>10} {xs!a}"
