from deepslate import flow


@flow
async def main(t: tuple[int, str], n: int) -> None:
    a = t[2]
    b = t[n]
    c = n[0]
    d = n[1:2]
