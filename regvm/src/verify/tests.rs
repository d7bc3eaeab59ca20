//! Each fact of the verifier, by bytecode that breaks it.

use super::*;
use crate::lower::{Lowered, lower};
use crate::program::Options;
use deepslate_ir::filetest::RunFile;
use deepslate_ir::image::Image;

const TEXT: &str = r#"deepslate-ir 1
class 0 Point {x: int, name: str}
host 0 impure fetch(key: str) -> str
func add(a: int, items: list[int]) -> int {
block0(v0: int, v1: list[int]):
  v2: int = list_get v1, v0
  v3: int = iadd v2, v0
  return v3
}
flow main(n: int) -> str {
block0(v0: int):
  v1: list[int] = list_new v0, v0
  v2: str = const "key"
  jump block1(v0)
block1(v3: int):
  poll
  v4: int = call add(v3, v1)
  v5: Point = new v4, v2
  v6: str = slot_get .1 v5
  v7: bool = ilt v4, v0
  branch v7, block1(v4), block2
block2:
  v8: str = call_impure fetch(v6)
  return v8
}
"#;

fn image() -> Image {
    let file = RunFile::read(TEXT).unwrap_or_else(|e| panic!("{e}"));
    Image::of(file.module).unwrap_or_else(|e| panic!("{e}"))
}

/// Lowers the program, lets `damage` change the bytecode, and verifies it.
fn verified(damage: impl FnOnce(&mut Lowered)) -> Result<(), String> {
    let (image, options) = (image(), Options { allocate_registers: true, fuse: false });
    let mut lowered = lower(image.module(), options).unwrap();
    damage(&mut lowered);
    verify(&Program::assemble(image, options, lowered)).map_err(|e| e.to_string())
}

/// The first instruction of this form in the second function.
fn find(lowered: &Lowered, form: Form) -> usize {
    let mut at = lowered.funcs[1].entry as usize;
    loop {
        let word = Word(lowered.words[at]);
        let here = Form::from_number(word.number()).unwrap();
        if here == form {
            return at;
        }
        at += here.length(word.b());
    }
}

fn set(lowered: &mut Lowered, at: usize, a: Option<u16>, b: Option<u16>, c: Option<u16>) {
    let word = Word(lowered.words[at]);
    let form = Form::from_number(word.number()).unwrap();
    let (a, b, c) = (a.unwrap_or(word.a()), b.unwrap_or(word.b()), c.unwrap_or(word.c()));
    lowered.words[at] = Word::new(form, a, b, c).0;
}

#[test]
fn what_the_lowering_makes_is_sound() {
    assert_eq!(verified(|_| {}), Ok(()));
}

/// Each breaks one fact, and the message says what is wrong.
#[test]
fn each_fact_is_checked() {
    type Damage = fn(&mut Lowered);
    let cases: &[(&str, Damage, &str)] = &[
        ("V1 form", |l| l.words[l.funcs[0].entry as usize] = 0xffff, "an unknown form"),
        ("V1 length", |l| l.funcs[0].end -= 1, "it runs on past its end"),
        ("V1 cut", |l| l.funcs[1].end -= 1, "it runs on past its end"),
        ("V2 target", |l| set_jump(l, 1), "where no instruction starts"),
        ("V2 function", |l| set_jump(l, -2), "where no instruction starts"),
        ("V3 read", |l| change(l, Form::SlotGet, None, Some(900), None), "outside the frame"),
        ("V3 written", |l| change(l, Form::SlotGet, Some(900), None, None), "outside the frame"),
        ("V4 scalar", |l| change(l, Form::IltRr, Some(0), None, None), "can't hold bool"),
        (
            "V4 reference",
            |l| {
                let c = l.funcs[1].count - 1;
                change(l, Form::SlotGet, Some(c), None, None)
            },
            "can't hold str",
        ),
        (
            "V5 type",
            |l| {
                let r = result_of(l, Form::Const);
                change(l, Form::SlotGet, None, Some(r), None)
            },
            "no slots",
        ),
        (
            "V5 value",
            |l| {
                let c = l.funcs[1].count;
                l.funcs[1].count += 1;
                let at = find(l, Form::ListNew);
                l.words[at + 2] = u64::from(c)
            },
            "read without a value",
        ),
        ("V6 frame", |l| change(l, Form::Call, None, None, Some(1)), "size of its own frame"),
        (
            "V6 parameter",
            |l| {
                let at = find(l, Form::Call);
                l.words[at + 2] ^= 1 << 16
            },
            "another register",
        ),
        ("V6 count", |l| change(l, Form::Call, None, Some(1), None), "number of arguments"),
        ("V7 constant", |l| change(l, Form::Const, None, Some(9), None), "no such constant"),
        (
            "V7 type",
            |l| {
                let at = find(l, Form::New);
                l.words[at + 1] = 900
            },
            "no type",
        ),
        ("V7 slot", |l| change(l, Form::SlotGet, None, None, Some(7)), "no such slot"),
        (
            "V7 function",
            |l| {
                let at = find(l, Form::Call);
                l.words[at + 1] |= 900
            },
            "no such function",
        ),
        (
            "V7 host",
            |l| {
                let at = find(l, Form::CallImpure);
                l.words[at + 1] |= 900
            },
            "no such host",
        ),
        ("V8 place", |l| l.funcs[1].stops[0].pc += 1, "not where its table says"),
        ("V8 value", |l| l.funcs[1].stops[0].values.reverse(), "read"),
        ("V8 constant", |l| l.funcs[1].stops[0].values[0] = Home::Constant(1), "for a constant"),
        ("parameters", |l| l.funcs[0].params.reverse(), "can't hold"),
    ];
    for (name, damage, message) in cases {
        match verified(damage) {
            Ok(()) => panic!("{name} was not noticed"),
            Err(error) => assert!(error.contains(message), "{name}: {error}"),
        }
    }
}

fn change(lowered: &mut Lowered, form: Form, a: Option<u16>, b: Option<u16>, c: Option<u16>) {
    let at = find(lowered, form);
    set(lowered, at, a, b, c);
}

fn result_of(lowered: &Lowered, form: Form) -> u16 {
    Word(lowered.words[find(lowered, form)]).a()
}

/// Sends the branch back to the loop's head elsewhere.
fn set_jump(lowered: &mut Lowered, distance: i32) {
    let entry = lowered.funcs[1].entry as i32;
    let at = find(lowered, Form::BrTrue);
    // Into the words of the list at the beginning: an offset from the branch itself.
    let target = entry + distance - at as i32;
    lowered.words[at] = lowered.words[at] & 0xffff_ffff | u64::from(target as u32) << 32;
}

/// No damage to a single field makes the verifier panic, and what it accepts still has whole instructions.
#[test]
fn no_damage_makes_it_panic() {
    let count = lower(image().module(), Options::default()).unwrap().words.len();
    let mut refused = 0;
    for at in 0..count {
        for field in 0..4 {
            for value in [0u64, 1, 2, 3, 5, 9, 77, 0x7fff, 0x8000, 0xffff] {
                let damaged = verified(|l| {
                    if let Some(word) = l.words.get_mut(at) {
                        *word = *word & !(0xffff << (16 * field)) | value << (16 * field);
                    }
                });
                refused += u32::from(damaged.is_err());
            }
        }
    }
    assert!(refused > 500, "{refused}");
}
