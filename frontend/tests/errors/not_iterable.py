from deepslate import dpslio, flow


@flow
async def main(n: int, queue: dpslio.Queue[int]) -> None:
    for i in n:
        pass
    for item in queue:
        pass
    for part in (1, "a"):
        pass
    for x in 1.5:
        pass
