from deepslate import flow


@flow
async def main(xs: list[int], name: str, template: str) -> str:
    empty = set()
    bad = {[1], [2]}
    mixed = {1, "a"}
    wrong = {1} | {"a"}
    a, *b, *c = xs
    p, *q = (1, "x", 2.5)
    pair = (1, 2)
    r, s, t = pair
    merged = {**xs}
    both = [*xs, "a"]
    text = "%d %s" % (name, 1)
    few = "%s %s" % (name,)
    odd = "%y" % name
    late = template % name
    field = "{} {missing}".format(name)
    open_field = "{".format(name)
    later = template.format(name)
    total = sum(w for w in ["a", "b"])
    sizes = set(5)
    t2: tuple[int, ..., str] = (1, "a")
    index = pair[len(xs):]
    return text
