//! The demanding promises, shown on whole engines: what is stored does not grow, nothing that was committed is lost or done
//! again, damage stops only what is damaged, and neither a computation nor another lowering changes anything.

mod crash;
mod damage;
mod fairness;
mod growth;
mod relower;
mod support;
mod touched;
mod written;
