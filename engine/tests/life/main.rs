//! An isolate's life over real stores: what is acknowledged is kept, whatever is killed, lost or damaged meanwhile.

mod basics;
mod commands;
mod errors;
mod faults;
mod http;
mod kill;
mod requests;
mod retry;
mod send;
mod spawn;
mod tls;
mod web;
mod world;
