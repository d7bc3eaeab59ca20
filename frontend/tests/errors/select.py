from deepslate import dpslio, flow


@flow
async def main(a: dpslio.Queue[int], b: dpslio.Queue[str]) -> int:
    result = 0
    match dpslio.select:
        case _ if v := a.get():
            result = v
        case _ if result > 3:
            result = 1
        case _ if result := await b.get():
            pass
        case _:
            pass
        case _ if await a.put(1):
            pass
    x = dpslio.select
    return result
