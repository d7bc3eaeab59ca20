from deepslate import flow


@flow
async def main(n: int) -> None:
    break
    if n > 1:
        continue
    if (m := n) > 1:
        pass
    raise
