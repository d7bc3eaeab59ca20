from dataclasses import dataclass

from deepslate import DSError, dpslio, flow, json_marshal, json_unmarshal


@dataclass
class Job:
    name: str
    done: dpslio.WaitGroup


@flow
async def encodes(jobs: list[str], queue: dpslio.Queue[int]) -> bytes:
    job: Job = Job("a", dpslio.WaitGroup())
    json_marshal(job)
    json_marshal(queue)
    json_marshal()
    json_marshal(jobs, indent=2)
    await json_marshal(jobs)
    return json_marshal(jobs)


@flow
async def decodes(data: bytes) -> list[int]:
    json_unmarshal(data)
    json_unmarshal[Job](data)
    json_unmarshal[int | DSError](data)
    json_unmarshal[list[nothing]](data)
    json_unmarshal[int]("1")
    json_unmarshal[int](data, data)
    json_unmarshal[int](text=data)
    await json_unmarshal[int](data)
    return json_unmarshal[list[int]](data)
