//! Typed host functions: async closures whose arguments and results are the user's own types.
//!
//! The closure's types are fitted to what the calling program declares at each call, so that one closure serves programs whose
//! dataclasses differ in fields that it does not look at.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

use async_trait::async_trait;
use deepslate_engine::{CallContext, HostCall, HostError, HostFn};
use deepslate_ir::datum::Datum;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::value::{from_args, to_datum};

/// An async closure of up to eight arguments that returns `Result<T, E>`. Implemented for all of them; `Args` is the tuple of
/// its arguments.
pub trait HostClosure<Args>: Send + Sync + 'static {
    /// What it returns when it succeeds.
    type Output: Serialize + Send;
    /// What it returns when it does not.
    type Error: fmt::Display + Send;

    /// Calls it.
    fn call(&self, args: Args) -> impl Future<Output = Result<Self::Output, Self::Error>> + Send;
}

/// The same with the context of the call as its first argument: who calls, which step and attempt, the idempotency key.
pub trait HostClosureInContext<Args>: Send + Sync + 'static {
    /// What it returns when it succeeds.
    type Output: Serialize + Send;
    /// What it returns when it does not.
    type Error: fmt::Display + Send;

    /// Calls it.
    fn call(&self, context: CallContext, args: Args) -> impl Future<Output = Result<Self::Output, Self::Error>> + Send;
}

macro_rules! closures {
    ($(($($Arg:ident)*))*) => {$(
        #[allow(non_snake_case)]
        impl<Closure, Returned, Output, Failed, $($Arg),*> HostClosure<($($Arg,)*)> for Closure
        where
            Closure: Fn($($Arg),*) -> Returned + Send + Sync + 'static,
            Returned: Future<Output = Result<Output, Failed>> + Send,
            Output: Serialize + Send,
            Failed: fmt::Display + Send,
            $($Arg: DeserializeOwned + Send,)*
        {
            type Output = Output;
            type Error = Failed;

            fn call(&self, ($($Arg,)*): ($($Arg,)*)) -> impl Future<Output = Result<Output, Failed>> + Send {
                self($($Arg),*)
            }
        }

        #[allow(non_snake_case)]
        impl<Closure, Returned, Output, Failed, $($Arg),*> HostClosureInContext<($($Arg,)*)> for Closure
        where
            Closure: Fn(CallContext, $($Arg),*) -> Returned + Send + Sync + 'static,
            Returned: Future<Output = Result<Output, Failed>> + Send,
            Output: Serialize + Send,
            Failed: fmt::Display + Send,
            $($Arg: DeserializeOwned + Send,)*
        {
            type Output = Output;
            type Error = Failed;

            fn call(
                &self,
                context: CallContext,
                ($($Arg,)*): ($($Arg,)*),
            ) -> impl Future<Output = Result<Output, Failed>> + Send {
                self(context, $($Arg),*)
            }
        }
    )*};
}

closures! {
    ()
    (A)
    (A B)
    (A B C)
    (A B C D)
    (A B C D E)
    (A B C D E F)
    (A B C D E F G)
    (A B C D E F G H)
}

struct Typed<Closure, Args>(Closure, PhantomData<fn(Args)>);
struct TypedInContext<Closure, Args>(Closure, PhantomData<fn(Args)>);

fn read<Args: DeserializeOwned>(call: &HostCall) -> Result<Args, HostError> {
    from_args(call.module(), &call.signature().params, &call.args)
        .map_err(|error| HostError::new(format!("its arguments do not fit the Rust closure: {error}")))
}

fn give<Output: Serialize, Failed: fmt::Display>(
    call: &HostCall,
    result: Result<Output, Failed>,
) -> Result<Datum, HostError> {
    let value = result.map_err(|error| HostError {
        type_name: short_name(std::any::type_name::<Failed>()).to_owned(),
        types: vec![std::any::type_name::<Failed>().to_owned()],
        message: error.to_string(),
        traceback: String::new(),
    })?;
    to_datum(call.module(), call.signature().ret, &value)
        .map_err(|error| HostError::new(format!("its result does not fit the program: {error}")))
}

/// The last part of a type's path, where it names an error; nothing for a plain text.
fn short_name(path: &'static str) -> &'static str {
    if path.ends_with("::String") || path == "&str" {
        return "";
    }
    let plain = path.split('<').next().unwrap_or(path);
    plain.rsplit("::").next().unwrap_or(plain)
}

#[async_trait]
impl<Closure, Args> HostFn for Typed<Closure, Args>
where
    Closure: HostClosure<Args>,
    Args: DeserializeOwned + Send + 'static,
{
    async fn call(&self, call: HostCall) -> Result<Datum, HostError> {
        let args = read(&call)?;
        let result = self.0.call(args).await;
        give(&call, result)
    }
}

#[async_trait]
impl<Closure, Args> HostFn for TypedInContext<Closure, Args>
where
    Closure: HostClosureInContext<Args>,
    Args: DeserializeOwned + Send + 'static,
{
    async fn call(&self, call: HostCall) -> Result<Datum, HostError> {
        let args = read(&call)?;
        let result = self.0.call(call.context.clone(), args).await;
        give(&call, result)
    }
}

/// A host function from a typed async closure.
pub fn typed<Args, Closure>(closure: Closure) -> Arc<dyn HostFn>
where
    Closure: HostClosure<Args>,
    Args: DeserializeOwned + Send + 'static,
{
    Arc::new(Typed(closure, PhantomData))
}

/// The same from one that takes the context of the call first.
pub fn typed_in_context<Args, Closure>(closure: Closure) -> Arc<dyn HostFn>
where
    Closure: HostClosureInContext<Args>,
    Args: DeserializeOwned + Send + 'static,
{
    Arc::new(TypedInContext(closure, PhantomData))
}
