//! Where a task stands: its instruction and its registers, as two pointers that the interpreter keeps in machine registers.
//!
//! - C1: `pc` points to an instruction of the program and `regs` to the first register of a frame of that instruction's
//!   function, in the register stack of the running task, with all of the frame's registers inside it. Nothing else uses
//!   the stack while a cursor into it is used, and each operation that may move the stack makes a new cursor.
//!
//! The methods are safe to call for registers and words that the instruction under the cursor has by its form's shape; V1,
//! V2 and V3 of `crate::verify` then keep them inside code and frame. Debug builds check it.

use crate::ops::Word;

/// Where a task stands.
#[derive(Clone, Copy)]
pub(super) struct Cursor {
    pc: *const u64,
    regs: *mut u64,
    /// The size of the frame.
    #[cfg(debug_assertions)]
    count: u16,
}

impl Cursor {
    /// A cursor at this instruction, with this frame.
    ///
    /// # Safety
    /// C1 holds; `count` is the size of the frame.
    #[inline(always)]
    #[cfg_attr(not(debug_assertions), expect(unused_variables, reason = "the size is for debug builds"))]
    pub unsafe fn new(pc: *const u64, regs: *mut u64, count: u16) -> Cursor {
        Cursor {
            pc,
            regs,
            #[cfg(debug_assertions)]
            count,
        }
    }

    /// The place of the instruction.
    #[inline(always)]
    pub fn pc(self) -> *const u64 {
        self.pc
    }

    /// The first register.
    #[inline(always)]
    pub fn regs(self) -> *mut u64 {
        self.regs
    }

    /// The first word of the instruction.
    #[inline(always)]
    pub fn word(self) -> Word {
        // SAFETY: C1.
        Word(unsafe { *self.pc })
    }

    /// The following word with this index, from 1.
    #[inline(always)]
    pub fn extra(self, index: usize) -> u64 {
        // SAFETY: C1 and V1: the instruction has the words of its shape.
        unsafe { *self.pc.add(index) }
    }

    /// The register with this index of the list of an instruction that has one.
    #[inline(always)]
    pub fn list(self, index: usize) -> u64 {
        self.read((self.extra(2 + index / 4) >> (index % 4 * 16)) as u16)
    }

    /// All registers of the list of an instruction that has one.
    pub fn list_values(self) -> Vec<u64> {
        (0..usize::from(self.word().b())).map(|i| self.list(i)).collect()
    }

    /// At the instruction after this one, which has this many words.
    #[inline(always)]
    pub fn skip(self, words: usize) -> Cursor {
        // SAFETY: V1 and V2: an instruction that does not end its function is followed by another one.
        Cursor { pc: unsafe { self.pc.add(words) }, ..self }
    }

    /// At the instruction after this one, which has one word.
    #[inline(always)]
    pub fn next(self) -> Cursor {
        self.skip(1)
    }

    /// At the instruction that a jump of the one under the cursor leads to.
    #[inline(always)]
    pub fn jump(self, distance: isize) -> Cursor {
        // SAFETY: V2.
        Cursor { pc: unsafe { self.pc.offset(distance) }, ..self }
    }

    /// What a register holds.
    #[inline(always)]
    pub fn read(self, reg: u16) -> u64 {
        #[cfg(debug_assertions)]
        assert!(reg < self.count, "V3: a register outside the frame");
        // SAFETY: C1 and V3.
        unsafe { *self.regs.add(usize::from(reg)) }
    }

    /// Sets a register.
    #[inline(always)]
    pub fn write(self, reg: u16, value: u64) {
        #[cfg(debug_assertions)]
        assert!(reg < self.count, "V3: a register outside the frame");
        // SAFETY: C1 and V3.
        unsafe { *self.regs.add(usize::from(reg)) = value }
    }

    /// What a register of type int holds.
    #[inline(always)]
    pub fn int(self, reg: u16) -> i64 {
        self.read(reg) as i64
    }

    /// Sets a register of type int.
    #[inline(always)]
    pub fn set_int(self, reg: u16, value: i64) {
        self.write(reg, value as u64);
    }

    /// What a register of type float holds.
    #[inline(always)]
    pub fn float(self, reg: u16) -> f64 {
        f64::from_bits(self.read(reg))
    }

    /// Sets a register of type float.
    #[inline(always)]
    pub fn set_float(self, reg: u16, value: f64) {
        self.write(reg, value.to_bits());
    }

    /// Sets a register of type bool.
    #[inline(always)]
    pub fn set_bool(self, reg: u16, value: bool) {
        self.write(reg, u64::from(value));
    }
}
