//! What a program defines before its functions: enumerations, and dataclasses with their methods.

use super::types::spelled;
use super::{Function, Generator, Kind};
use deepslate_ir::entity::{ClassId, TypeId};
use deepslate_ir::enums::{Enum, Member, MemberValue};
use deepslate_ir::types::{self as ty, Class, Field, Type};

impl Generator<'_> {
    pub fn write_enumerations(&mut self) {
        for index in 0..self.c.below(3) {
            let name = format!("E{index}");
            let (ints, is_int) = (self.c.chance(60), self.c.chance(40));
            let value = if ints { ty::INT } else { ty::STR };
            let field = |name: &str, ty| Field { name: name.to_owned(), ty };
            let fields = vec![field("name", ty::STR), field("value", value)];
            let id = self.types.add_class(Class { name: name.clone(), fields, frozen: true });
            let base = if ints && is_int { "IntEnum" } else { "Enum" };
            self.text.push_str(&format!("\nclass {name}({base}):\n"));
            let mut members = Vec::new();
            for number in 0..2 + self.c.below(3) {
                let (value, shown) = if ints {
                    let value = number as i64 * 3 - 1;
                    (MemberValue::Int(value), value.to_string())
                } else {
                    let text = ["a", "é", "", "12", "x y"][number % 5];
                    (MemberValue::Str(text.to_owned()), format!("{text:?}"))
                };
                let name = format!("M{number}");
                self.text.push_str(&format!("    {name} = {shown}\n"));
                members.push(Member { name, value });
            }
            self.types.set_enumeration(id, Enum { shows_value: ints && is_int, members });
            let of_class = self.types.intern(Type::Class(id));
            self.classes.push(of_class);
        }
    }

    /// A member of an enumeration, by name or by value.
    pub fn member(&mut self, class: ClassId) -> String {
        let name = self.types.class(class).name.clone();
        let members = self.types.enumeration(class).map_or(Vec::new(), |e| e.members.clone());
        let Some(member) = self.c.pick(&members).cloned() else { return "None".to_owned() };
        match (self.c.below(8), member.value) {
            (6, MemberValue::Int(value)) => format!("{name}({value})"),
            (6, MemberValue::Str(text)) => format!("{name}({text:?})"),
            (7, _) => format!("{name}[\"{}\"]", member.name),
            _ => format!("{name}.{}", member.name),
        }
    }

    pub fn write_classes(&mut self) {
        for index in 0..self.c.below(4) {
            let name = format!("C{index}");
            let frozen = self.c.chance(35);
            let recursive = !frozen && self.c.chance(25);
            let class = Class { name: name.clone(), fields: Vec::new(), frozen };
            let id = self.types.add_class(class);
            let of_class = self.types.intern(Type::Class(id));
            let mark = if frozen { "@dataclass(frozen=True)" } else { "@dataclass" };
            self.text.push_str(&format!("\n{mark}\nclass {name}:\n"));
            let mut fields = Vec::new();
            let mut defaults = false;
            for field in 0..1 + self.c.below(3) {
                let ty = if frozen { self.key_type(2) } else { self.made_type(2) };
                let name = format!("a{field}");
                let mut default = String::new();
                defaults |= self.c.chance(20);
                if defaults {
                    default = self.default_of(ty);
                    if default.is_empty() {
                        // Only where no field before it has one may a field have none.
                        if fields.iter().any(|(_, d): &(Field, bool)| *d) {
                            continue;
                        }
                        defaults = false;
                    }
                }
                self.text.push_str(&format!("    {name}: {}{default}\n", spelled(&self.types, ty)));
                fields.push((Field { name, ty }, defaults));
            }
            if recursive && !defaults {
                let ty = self.types.intern(Type::List(of_class));
                self.text.push_str(&format!("    kids: list[\"{name}\"] = field(default_factory=list)\n"));
                fields.push((Field { name: "kids".to_owned(), ty }, true));
            }
            self.types.class_mut(id).fields = fields.into_iter().map(|(f, _)| f).collect();
            self.classes.push(of_class);
            if self.c.chance(50) {
                self.write_method(index, of_class);
            }
        }
        self.text.push('\n');
    }

    /// What makes a field or a parameter of this type one that may be left out; empty if nothing does.
    pub fn default_of(&mut self, ty: TypeId) -> String {
        let text = match self.types.get(ty) {
            Type::List(_) => " = field(default_factory=list)",
            Type::Dict(..) => " = field(default_factory=dict)",
            Type::Int => self.c.text(&[" = 7", " = 0", " = -2"]),
            Type::Str => " = \"dé\"",
            Type::Float => " = 0.5",
            Type::Bool => " = True",
            Type::Union(members) if members.contains(&ty::NONE) => " = None",
            _ => "",
        };
        text.to_owned()
    }

    /// A method of the class that was written last.
    fn write_method(&mut self, number: usize, of: TypeId) {
        let mut params = Vec::new();
        for index in 0..self.c.below(3) {
            params.push((format!("p{index}"), self.made_type(1)));
        }
        let ret = self.made_type(1);
        let own = [("self".to_owned(), of)];
        self.begin(Kind::Plain, &[&own, &params[..]].concat(), ret, 12);
        self.body.vars[0].writable = false;
        self.body.indent = 2;
        if !self.statements(2) {
            let value = self.expr(ret, 2, true);
            self.line(&format!("return {value}"));
        }
        let shown: Vec<String> = params.iter().map(|(n, ty)| format!(", {n}: {}", spelled(&self.types, *ty))).collect();
        let name = format!("m{number}");
        let ret_text = spelled(&self.types, ret);
        self.text.push_str(&format!("\n    def {name}(self{}) -> {ret_text}:\n", shown.concat()));
        for line in std::mem::take(&mut self.body.lines) {
            self.text.push_str(&line);
            self.text.push('\n');
        }
        let (kind, cost) = (Kind::Plain, self.body.cost + 2);
        let of = Some(of);
        self.functions.push(Function {
            name,
            params,
            ret,
            kind,
            recursive: false,
            cost,
            worker: false,
            defaults: 0,
            of,
        });
        self.body = super::Body::default();
    }

    /// The function that gives its argument back, as of this type.
    pub fn identity(&mut self, id: TypeId) -> String {
        let at = self.identities.iter().position(|known| *known == id);
        let at = at.unwrap_or_else(|| {
            self.identities.push(id);
            self.identities.len() - 1
        });
        format!("same{at}")
    }

    pub fn write_identities(&mut self) {
        for (at, id) in self.identities.iter().enumerate() {
            let ty = spelled(&self.types, *id);
            self.text.push_str(&format!("\ndef same{at}(value: {ty}) -> {ty}:\n    return value\n"));
        }
    }

    /// A type whose values can be shown.
    pub fn shown_type(&mut self) -> TypeId {
        let id = self.some_type();
        if self.can_show(id) { id } else { ty::INT }
    }
}
