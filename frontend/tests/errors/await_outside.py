from deepslate import dpslio, flow


def take(queue: dpslio.Queue[int]) -> int:
    return await queue.get()


@flow
async def main(queue: dpslio.Queue[int]) -> int:
    return take(queue)


@flow
def plain_flow(queue: dpslio.Queue[int]) -> int:
    return await queue.get()
