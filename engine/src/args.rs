//! Arguments of a flow: by position or by name, checked against what it declares, with an error that says what it takes.

use deepslate_ir::datum::{self, Datum};
use deepslate_ir::entity::FuncId;
use deepslate_ir::json;
use deepslate_ir::module::{Func, Module, completed};
use serde_json::Value;

use crate::error::{Error, Kind, Result};
use crate::limits::ARGS_SHOWN_BYTES_MAX;
use crate::record::cut;

/// A function as its definition reads: `counter(limit: int) -> int`.
pub(crate) fn signature(module: &Module, func: &Func) -> String {
    let params = func.params.iter().map(|param| param.shown(&module.types));
    format!("{}({}) -> {}", func.name, params.collect::<Vec<_>>().join(", "), module.types.name(func.ret))
}

fn refuse(module: &Module, func: &Func, what: &str) -> Error {
    Error::new(Kind::BadArguments, "spawn", format!("{what}; the flow is {}", signature(module, func)))
}

/// Refuses an argument that is larger than a message may be, before anything is made of it.
pub(crate) fn check_size(module: &Module, flow: FuncId, args: &[Datum], limit_bytes: u64) -> Result<()> {
    let func = module.func(flow);
    let sized = func.params.iter().zip(args).map(|(param, arg)| (param, datum::size(arg)));
    match sized.into_iter().find(|(_, size)| *size > limit_bytes) {
        None => Ok(()),
        Some((param, size)) => {
            let what = format!(
                "argument `{}` has {size} bytes, more than the {limit_bytes} that `message_bytes` of [limits] allows: keep large values elsewhere and pass where they are",
                param.name
            );
            Err(refuse(module, func, &what))
        }
    }
}

/// Checks arguments by position; those that are not given are the defaults of the last parameters.
pub(crate) fn check(module: &Module, flow: FuncId, args: Vec<Datum>) -> Result<Vec<Datum>> {
    let func = module.func(flow);
    let args = completed(&module.types, &func.params, args);
    if args.len() != func.params.len() {
        let what = format!("{} arguments given, {} wanted", args.len(), func.params.len());
        return Err(refuse(module, func, &what));
    }
    for (param, arg) in func.params.iter().zip(&args) {
        datum::check(&module.types, param.ty, arg)
            .map_err(|what| refuse(module, func, &format!("argument `{}`: {what}", param.name)))?;
    }
    Ok(args)
}

/// Reads arguments from JSON: an object by name, or an array by position. Those with a default may be left out.
pub(crate) fn from_json(module: &Module, flow: FuncId, args: &Value) -> Result<Vec<Datum>> {
    let func = module.func(flow);
    let read = |(index, value): (usize, &Value)| {
        let param = &func.params[index];
        json::from_value(&module.types, param.ty, value)
            .map_err(|error| refuse(module, func, &format!("argument `{}`: {error}", param.name)))
    };
    match args {
        Value::Array(values) => {
            let few =
                || refuse(module, func, &format!("{} arguments given, {} wanted", values.len(), func.params.len()));
            if values.len() > func.params.len() {
                return Err(few());
            }
            let given = values.iter().enumerate().map(read).collect::<Result<Vec<Datum>>>()?;
            let args = completed(&module.types, &func.params, given);
            if args.len() == func.params.len() { Ok(args) } else { Err(few()) }
        }
        Value::Object(named) => {
            if let Some(unknown) = named.keys().find(|name| func.params.iter().all(|param| param.name != **name)) {
                let names = func.params.iter().map(|param| param.name.as_str());
                let near = json::nearest(unknown, names).map(|near| format!(" (did you mean `{near}`?)"));
                let what = format!("it has no parameter `{unknown}`{}", near.unwrap_or_default());
                return Err(refuse(module, func, &what));
            }
            let each = func.params.iter().enumerate().map(|(index, param)| match named.get(&param.name) {
                Some(value) => read((index, value)),
                None => param
                    .default_value(&module.types)
                    .ok_or_else(|| refuse(module, func, &format!("argument `{}` is missing", param.name))),
            });
            each.collect()
        }
        Value::Null if func.params.iter().all(|param| param.default.is_some()) => {
            Ok(completed(&module.types, &func.params, Vec::new()))
        }
        _ => Err(refuse(module, func, "arguments are given as an object by name or an array by position")),
    }
}

/// Arguments of a flow as listings show them: JSON by name, cut.
pub fn shown(module: &Module, flow: FuncId, args: &[Datum]) -> String {
    let mut out = String::from("{");
    for (param, arg) in module.func(flow).params.iter().zip(args) {
        if out.len() > 1 {
            out.push_str(", ");
        }
        out.push_str(&Value::from(param.name.as_str()).to_string());
        out.push_str(": ");
        out.push_str(&json::to_json(&module.types, param.ty, arg));
        if out.len() > ARGS_SHOWN_BYTES_MAX {
            break;
        }
    }
    out.push('}');
    cut(out, ARGS_SHOWN_BYTES_MAX)
}
