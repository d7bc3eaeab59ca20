//! The bytecode table: one row for each form of an instruction, naming the IR instruction that it implements, so that no
//! meaning is written twice. Enum, names, lengths, the verifier, the disassembler and the dispatch come from it.
//!
//! Code is words of 64 bits. The first word of an instruction is form, a, b, c of 16 bits each, lowest first; its shape
//! says what they are and how many words follow. Bytecode is made anew from the image by each engine version and never
//! stored, so that rows may change at will.

use deepslate_ir::ops::Op;

/// What the fields and the following words of an instruction are. Registers are relative to the frame. `w1` is the first
/// following word; *list* is b registers of 16 bits, four to a word, from the word given on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// a is set.
    D,
    /// a is set; b is an immediate.
    DI,
    /// a is set; w1 is the value.
    DWord,
    /// a is set; b and c are the number of a constant.
    DConst,
    /// a is set from b.
    DU,
    /// a is set from b and c.
    DUU,
    /// a is set from b and the immediate c.
    DUI,
    /// a is set from b and c, of the type w1.
    DUUType,
    /// a is set from b, to the type w1.
    DUType,
    /// a is set from b; w1 is a type of the module (low) and the type of b (high).
    DUTypes,
    /// a is set from slot c of b.
    DUSlot,
    /// Slot c of a is set from b.
    UUSlot,
    /// a is read.
    U,
    /// a and b are read.
    UU,
    /// a, b and c are read.
    UUU,
    /// a and b are exchanged.
    Swap,
    /// a is set to the type w1, from the list at w2.
    DTypeList,
    /// Jumps by b and c.
    Jump,
    /// Reads a; may jump by b and c.
    UJump,
    /// Reads a and b; may jump by c.
    UUJump,
    /// Reads a; b is an immediate; may jump by c.
    UIJump,
    /// Reads a; b is the number of a kind of trap.
    Fail,
    /// b and c are a stop.
    Poll,
    /// a is set; c is the size of the frame; w1 is function (low) and stop (high); from w2 on b pairs of this frame's and
    /// the callee's register, two to a word.
    Call,
    /// w1 is a function; from w2 on b pairs as of a call.
    Spawn,
    /// a is set; w1 is the number of a call site of a builtin; the list at w2.
    Builtin,
    /// a is set; w1 is host function (low) and stop (high; 0 where the row does not stop); the list at w2.
    Host,
    /// a is set from b; w1 is the stop.
    DUStop,
    /// a is set from b and c; w1 is the stop.
    DUUStop,
    /// a is set from b; w1 is the stop (low) and the type of a (high).
    DUStopType,
    /// a is set from b and c, to the type w1.
    DUUTo,
    /// b is the number of cases; w1 is the stop; from w2 on two words for each case: kind, queue and the register that is
    /// read or set, 16 bits each; then the type of a list that is received (low) and a jump (high).
    Select,
}

/// Defines the table; the dollar sign is handed in for the macro that comes out of it.
macro_rules! table {
    ($d:tt $($(#[doc = $doc:literal])+ $form:ident $name:ident $op:ident $shape:ident;)*) => {
        /// A form of an instruction; the table in this file says what each does.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[repr(u16)]
        pub enum Form {
            $($(#[doc = $doc])+ $form,)*
        }

        impl Form {
            /// Every form, in the order of the table.
            pub const ALL: &'static [Form] = &[$(Form::$form),*];

            /// Its name in listings.
            pub const fn name(self) -> &'static str {
                match self { $(Form::$form => stringify!($name),)* }
            }

            /// The IR instruction that it implements.
            pub const fn op(self) -> Op {
                match self { $(Form::$form => Op::$op,)* }
            }

            /// What its fields are.
            pub const fn shape(self) -> Shape {
                match self { $(Form::$form => Shape::$shape,)* }
            }
        }

        /// Calls the macro given with all rows, each as `Variant name`, after whatever else it is given.
        macro_rules! for_each_form {
            ($d then:ident $d($d more:tt)*) => { $d then! { $d($d more)* $($form $name)* } };
        }
        pub(crate) use for_each_form;
    };
}

table! { $
    // What the parameters of blocks need.
    /// Copies a register.
    Mov mov Jump DU;
    /// Exchanges two registers.
    Swap swap Jump Swap;

    // Constants.
    /// An integer of 16 bits.
    IconstI iconst_i Iconst DI;
    /// An integer.
    Iconst iconst Iconst DWord;
    /// A double.
    Fconst fconst Fconst DWord;
    /// A truth value.
    Bconst bconst Bconst DI;
    /// `None`.
    None none None D;
    /// Text or bytes.
    Const constant Const DConst;

    // Integers.
    /// Sum.
    IaddRr iadd_rr Iadd DUU;
    /// Sum with an immediate.
    IaddRi iadd_ri Iadd DUI;
    /// Difference.
    IsubRr isub_rr Isub DUU;
    /// Difference with an immediate.
    IsubRi isub_ri Isub DUI;
    /// Product.
    ImulRr imul_rr Imul DUU;
    /// Product with an immediate.
    ImulRi imul_ri Imul DUI;
    /// Negation.
    Ineg ineg Ineg DU;
    /// Floored quotient.
    IfloordivRr ifloordiv_rr Ifloordiv DUU;
    /// Floored quotient by an immediate.
    IfloordivRi ifloordiv_ri Ifloordiv DUI;
    /// Floored remainder.
    ImodRr imod_rr Imod DUU;
    /// Floored remainder by an immediate.
    ImodRi imod_ri Imod DUI;
    /// Power.
    Ipow ipow Ipow DUU;
    /// Quotient as a float.
    Itruediv itruediv Itruediv DUU;
    /// Bitwise and.
    IandRr iand_rr Iand DUU;
    /// Bitwise and with an immediate.
    IandRi iand_ri Iand DUI;
    /// Bitwise or.
    Ior ior Ior DUU;
    /// Bitwise exclusive or.
    Ixor ixor Ixor DUU;
    /// Bitwise complement.
    Inot inot Inot DU;
    /// Shift to the left.
    IshlRr ishl_rr Ishl DUU;
    /// Shift to the left by an immediate.
    IshlRi ishl_ri Ishl DUI;
    /// Shift to the right.
    IshrRr ishr_rr Ishr DUU;
    /// Shift to the right by an immediate.
    IshrRi ishr_ri Ishr DUI;
    /// Equal.
    IeqRr ieq_rr Ieq DUU;
    /// Equal to an immediate.
    IeqRi ieq_ri Ieq DUI;
    /// Not equal.
    IneRr ine_rr Ine DUU;
    /// Not equal to an immediate.
    IneRi ine_ri Ine DUI;
    /// Less.
    IltRr ilt_rr Ilt DUU;
    /// Less than an immediate.
    IltRi ilt_ri Ilt DUI;
    /// Less or equal.
    IleRr ile_rr Ile DUU;
    /// Less than or equal to an immediate.
    IleRi ile_ri Ile DUI;
    /// Greater.
    IgtRr igt_rr Igt DUU;
    /// Greater than an immediate.
    IgtRi igt_ri Igt DUI;
    /// Greater or equal.
    IgeRr ige_rr Ige DUU;
    /// Greater than or equal to an immediate.
    IgeRi ige_ri Ige DUI;
    /// To a double.
    IntToFloat int_to_float IntToFloat DU;

    // Floats.
    /// Sum.
    Fadd fadd Fadd DUU;
    /// Difference.
    Fsub fsub Fsub DUU;
    /// Product.
    Fmul fmul Fmul DUU;
    /// Quotient.
    Fdiv fdiv Fdiv DUU;
    /// Floored quotient.
    Ffloordiv ffloordiv Ffloordiv DUU;
    /// Floored remainder.
    Fmod fmod Fmod DUU;
    /// Power.
    Fpow fpow Fpow DUU;
    /// Negation.
    Fneg fneg Fneg DU;
    /// Equal.
    Feq feq Feq DUU;
    /// Not equal.
    Fne fne Fne DUU;
    /// Less.
    Flt flt Flt DUU;
    /// Less or equal.
    Fle fle Fle DUU;
    /// Greater.
    Fgt fgt Fgt DUU;
    /// Greater or equal.
    Fge fge Fge DUU;
    /// Truncated to an integer.
    FloatToInt float_to_int FloatToInt DU;

    // Truth values.
    /// The other one.
    Bnot bnot Bnot DU;
    /// 0 or 1.
    BoolToInt bool_to_int BoolToInt DU;

    // Any type.
    /// Equal by content.
    Eq eq Eq DUUType;
    /// Less, equal or greater.
    Order order Order DUUType;

    // Lists.
    /// A new list.
    ListNew list_new ListNew DTypeList;
    /// Its length.
    ListLen list_len ListLen DU;
    /// An element.
    ListGet list_get ListGet DUU;
    /// Replaces an element.
    ListSet list_set ListSet UUU;
    /// Appends.
    ListPush list_push ListPush UU;

    // Dicts.
    /// A new dict.
    DictNew dict_new DictNew DTypeList;
    /// Its number of entries.
    DictLen dict_len DictLen DU;
    /// The value under a key.
    DictGet dict_get DictGet DUU;
    /// Puts a value under a key.
    DictSet dict_set DictSet UUU;
    /// Whether it has a key.
    DictHas dict_has DictHas DUU;
    /// The next entry's position.
    DictNext dict_next DictNext DUU;
    /// The key at a position.
    DictKeyAt dict_key_at DictKeyAt DUU;
    /// The value at a position.
    DictValueAt dict_value_at DictValueAt DUU;

    // Objects and tuples.
    /// A new one.
    New new New DTypeList;
    /// A slot.
    SlotGet slot_get SlotGet DUSlot;
    /// Replaces a slot.
    SlotSet slot_set SlotSet UUSlot;

    // Control.
    /// Jumps.
    Jump jump Jump Jump;
    /// Jumps if true.
    BrTrue br_true Branch UJump;
    /// Jumps if false.
    BrFalse br_false Branch UJump;
    /// Jumps if equal.
    BrIeqRr br_ieq_rr Branch UUJump;
    /// Jumps if equal to an immediate.
    BrIeqRi br_ieq_ri Branch UIJump;
    /// Jumps if not equal.
    BrIneRr br_ine_rr Branch UUJump;
    /// Jumps if not equal to an immediate.
    BrIneRi br_ine_ri Branch UIJump;
    /// Jumps if less.
    BrIltRr br_ilt_rr Branch UUJump;
    /// Jumps if less than an immediate.
    BrIltRi br_ilt_ri Branch UIJump;
    /// Jumps if less or equal.
    BrIleRr br_ile_rr Branch UUJump;
    /// Jumps if less than or equal to an immediate.
    BrIleRi br_ile_ri Branch UIJump;
    /// Jumps if greater.
    BrIgtRr br_igt_rr Branch UUJump;
    /// Jumps if greater than an immediate.
    BrIgtRi br_igt_ri Branch UIJump;
    /// Jumps if greater or equal.
    BrIgeRr br_ige_rr Branch UUJump;
    /// Jumps if greater than or equal to an immediate.
    BrIgeRi br_ige_ri Branch UIJump;
    /// Jumps if equal.
    BrFeq br_feq Branch UUJump;
    /// Jumps if not equal.
    BrFne br_fne Branch UUJump;
    /// Jumps if less.
    BrFlt br_flt Branch UUJump;
    /// Jumps if less or equal.
    BrFle br_fle Branch UUJump;
    /// Jumps if not less: greater, equal or with a NaN.
    BrFnlt br_fnlt Branch UUJump;
    /// Jumps if not less or equal: greater or with a NaN.
    BrFnle br_fnle Branch UUJump;
    /// Leaves the function.
    Return ret Return U;
    /// Fails the isolate.
    Fail fail Fail Fail;
    /// Looks at the interrupt.
    Poll poll Poll Poll;

    // Calls.
    /// A function of the program.
    Call call Call Call;
    /// A builtin.
    CallBuiltin call_builtin CallBuiltin Builtin;
    /// A pure host function.
    CallPure call_pure CallPure Host;
    /// An impure host function.
    CallImpure call_impure CallImpure Host;
    /// Sleeps.
    Sleep sleep Sleep DUStop;

    // Tasks and sync objects.
    /// A new task.
    CreateTask create_task CreateTask Spawn;
    /// A new queue.
    QueueNew queue_new QueueNew DUType;
    /// Puts.
    QueuePut queue_put QueuePut DUUStop;
    /// Takes.
    QueueGet queue_get QueueGet DUStop;
    /// The number of elements.
    QueueLen queue_len QueueLen DU;
    /// A new lock.
    LockNew lock_new LockNew D;
    /// Takes it.
    LockAcquire lock_acquire LockAcquire DUStop;
    /// Gives it back.
    LockRelease lock_release LockRelease U;
    /// A new wait group.
    WaitGroupNew wait_group_new WaitGroupNew D;
    /// Adds.
    WaitGroupAdd wait_group_add WaitGroupAdd UU;
    /// Waits for zero.
    WaitGroupWait wait_group_wait WaitGroupWait DUStop;
    /// The first case that is ready.
    Select select Select Select;

    // Time and chance.
    /// The clock.
    Now now Now D;
    /// A random number.
    Random random Random D;
    /// A random id.
    Uuid uuid Uuid D;

    // Unions.
    /// The reference itself.
    UnionWiden union_widen UnionWiden DUTypes;
    /// A scalar in a box.
    UnionBox union_box UnionWiden DUTypes;
    /// Whether it is of a member.
    UnionIs union_is UnionIs DUTypes;
    /// The reference itself, of a type that is checked.
    UnionNarrow union_narrow UnionNarrow DUTypes;
    /// What is in a box of a type that is checked.
    UnionUnbox union_unbox UnionNarrow DUTypes;

    // More of queues.
    /// Closes.
    QueueClose queue_close QueueClose U;
    /// Whether it is closed.
    QueueClosed queue_closed QueueClosed DU;
    /// Whether a put would wait.
    QueueFull queue_full QueueFull DU;
    /// Takes into a list, an empty one at the end.
    QueueReceive queue_receive QueueReceive DUStopType;
    /// A queue that gets its element in time.
    After after After DUType;
    /// The queue with a name.
    QueueNamed queue_named QueueNamed DUUTo;

    // More of calls.
    /// A function of the program, or after an overflow the host's.
    CallOrHost call_or_host CallOrHost Call;
}

impl Form {
    /// The form with this number.
    pub fn from_number(number: u16) -> Option<Form> {
        Form::ALL.get(usize::from(number)).copied()
    }

    /// How many words an instruction of this form has, its count (field b) given.
    pub const fn length(self, count: u16) -> usize {
        let count = count as usize;
        match self.shape() {
            Shape::D | Shape::DI | Shape::DConst | Shape::DU | Shape::DUU | Shape::DUI | Shape::DUSlot => 1,
            Shape::UUSlot | Shape::U | Shape::UU | Shape::UUU | Shape::Swap | Shape::Jump | Shape::UJump => 1,
            Shape::UUJump | Shape::UIJump | Shape::Fail | Shape::Poll => 1,
            Shape::DWord | Shape::DUUType | Shape::DUType | Shape::DUTypes | Shape::DUStop | Shape::DUUStop => 2,
            Shape::DUStopType | Shape::DUUTo => 2,
            Shape::DTypeList | Shape::Builtin | Shape::Host => 2 + count.div_ceil(4),
            Shape::Call | Shape::Spawn => 2 + count.div_ceil(2),
            Shape::Select => 2 + 2 * count,
        }
    }
}

/// The first word of an instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Word(pub u64);

impl Word {
    /// An instruction of this form with these fields.
    pub const fn new(form: Form, a: u16, b: u16, c: u16) -> Word {
        Word(form as u64 | (a as u64) << 16 | (b as u64) << 32 | (c as u64) << 48)
    }

    /// The number of the form.
    #[inline(always)]
    pub const fn number(self) -> u16 {
        self.0 as u16
    }

    /// Field a.
    #[inline(always)]
    pub const fn a(self) -> u16 {
        (self.0 >> 16) as u16
    }

    /// Field b.
    #[inline(always)]
    pub const fn b(self) -> u16 {
        (self.0 >> 32) as u16
    }

    /// Field c.
    #[inline(always)]
    pub const fn c(self) -> u16 {
        (self.0 >> 48) as u16
    }

    /// Field b as a signed immediate.
    #[inline(always)]
    pub const fn imm_b(self) -> i64 {
        self.b() as i16 as i64
    }

    /// Field c as a signed immediate.
    #[inline(always)]
    pub const fn imm_c(self) -> i64 {
        self.c() as i16 as i64
    }

    /// Fields b and c as one unsigned number.
    #[inline(always)]
    pub const fn wide(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// Field c as a jump, in words from this one.
    #[inline(always)]
    pub const fn jump_c(self) -> isize {
        self.c() as i16 as isize
    }

    /// Fields b and c as a jump, in words from this one.
    #[inline(always)]
    pub const fn jump_wide(self) -> isize {
        self.wide() as i32 as isize
    }
}

/// What a case of a `select` does, in its first word.
pub mod case {
    /// Takes from a queue.
    pub const GET: u16 = 0;
    /// Puts into a queue.
    pub const PUT: u16 = 1;
    /// Taken when no other is ready.
    pub const DEFAULT: u16 = 2;
    /// Takes from a queue into a list.
    pub const RECEIVE: u16 = 3;
}

/// The `index`-th 16-bit register of a list whose words begin at `words[0]`.
pub fn list_item(words: &[u64], index: usize) -> u16 {
    (words[index / 4] >> (index % 4 * 16)) as u16
}

/// The `index`-th pair of a call whose pairs begin at `words[0]`: the caller's register and the callee's.
pub fn pair_item(words: &[u64], index: usize) -> (u16, u16) {
    let half = words[index / 2] >> (index % 2 * 32);
    (half as u16, (half >> 16) as u16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn each_ir_instruction_has_a_form_and_each_name_is_unique() {
        let implemented: HashSet<Op> = Form::ALL.iter().map(|f| f.op()).collect();
        for op in Op::ALL {
            assert!(implemented.contains(op), "{op} has no form");
        }
        let names: HashSet<&str> = Form::ALL.iter().map(|f| f.name()).collect();
        assert_eq!(names.len(), Form::ALL.len());
    }

    #[test]
    fn fields_read_back() {
        let word = Word::new(Form::IaddRi, 7, 65_535, (-3i16) as u16);
        assert_eq!(Form::from_number(word.number()), Some(Form::IaddRi));
        assert_eq!((word.a(), word.b(), word.imm_c()), (7, 65_535, -3));
        let far = Word((-70_000i32 as u32 as u64) << 32);
        assert_eq!(far.jump_wide(), -70_000);
        assert_eq!(Form::from_number(Form::ALL.len() as u16), None);
    }
}
