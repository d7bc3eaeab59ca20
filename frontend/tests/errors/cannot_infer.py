from deepslate import dpslio, flow


@flow
async def main() -> int:
    items = []
    prices = {}
    queue = dpslio.Queue()
    items.append(1)
    return len(items)
