from deepslate import dpslio, flow


@flow
async def main() -> int:
    items = []
    prices = {}
    queue = dpslio.Queue()
    for item in items:
        print(item.name, prices)
    return len(items)
