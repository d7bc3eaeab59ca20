//! Every bound of the engine, in one place. What an operator may set is in [`Options`](crate::Options); these are the bounds
//! of formats and of what is kept in memory whatever happens.

/// Longest name of an isolate, in bytes (its characters are all ASCII).
pub const NAME_BYTES_MAX: usize = 200;
/// Longest namespace, in bytes.
pub const NAMESPACE_BYTES_MAX: usize = 200;
/// How much of an isolate's arguments is kept for listings, in bytes of JSON.
pub const ARGS_SHOWN_BYTES_MAX: usize = 512;
/// How many ids of applied messages an isolate remembers.
pub const APPLIED_MAX: usize = 1_000;
/// How many of those may be ids that the engine made itself, which only its own repeated attempts use again.
pub const APPLIED_OWN_MAX: usize = 64;
/// Longest id that a caller may give a message, in bytes.
pub const MESSAGE_ID_BYTES_MAX: usize = 1_000;
/// Most live parts of a snapshot that a record may name: the 64 deltas over a base, with room for a later format.
pub const PARTS_MAX: usize = 1024;
/// Most sleeps or attempts that a record may name; more than an isolate can have tasks.
pub const PENDING_MAX: usize = 10_000_000;
/// Longest method of a route, in bytes.
pub const METHOD_BYTES_MAX: usize = 32;
/// Longest path of a route, in bytes.
pub const ROUTE_BYTES_MAX: usize = 2_048;
/// Most routes that an isolate may open beside those that its program names literally.
pub const ROUTES_MAX: usize = 1_000;
/// Most acknowledged requests that wait for an isolate.
pub const MAIL_MAX: usize = 1_000;
/// Most bytes of them, unless it is a single one: each commit writes them.
pub const MAIL_BYTES_MAX: usize = 4 << 20;
/// Most idempotency keys of requests that an isolate remembers.
pub const KEYS_MAX: usize = 1_000;
/// How long it remembers them, in milliseconds: a day.
pub const KEYS_MS: i64 = 24 * 3600 * 1000;
/// How long it remembers the engine's own ids of requests, in milliseconds: longer than the engine asks again.
pub const HEARD_MS: i64 = 60_000;
/// Longest `Idempotency-Key`, in bytes.
pub const KEY_BYTES_MAX: usize = 255;
/// Longest head of a request, in bytes.
pub const HEAD_BYTES_MAX: usize = 64 << 10;
/// Largest body that a request may have whatever the settings say: it must fit into the state of an isolate.
pub const BODY_BYTES_MAX: usize = 8 << 20;
/// Most redirects that a request of a flow follows.
pub const REDIRECTS_MAX: usize = 10;
/// Longest line of an isolate's log, in bytes; a longer one is cut.
pub const LOG_LINE_BYTES_MAX: usize = 16 << 10;
/// Longest message of a failure or of a parked isolate, in bytes; a longer one is cut.
pub const MESSAGE_BYTES_MAX: usize = 64 << 10;
/// Most lines of a stored stack trace: the innermost and the outermost halves of it.
pub const TRACE_LINES_MAX: usize = 200;
/// Most timers in memory; those beyond are read from the store in time.
pub const NEAR_TIMERS_MAX: usize = 1_000_000;
/// How far ahead timers are held in memory, in milliseconds.
pub const TIMER_HORIZON_MS: i64 = 60_000;
/// The latest due time, in unix milliseconds: the end of the year 9999.
pub const DUE_MS_MAX: i64 = 253_402_300_799_999;
/// How many isolates one page of a scan reads.
pub const SCAN_PAGE: usize = 1_000;
/// How many programs that nobody deployed here are kept compiled.
pub const PROGRAMS_KEPT: usize = 32;
/// First and longest pause before a store is asked again, in milliseconds.
pub const STORE_BACKOFF_MS: (u64, u64) = (20, 2_000);
/// How often a trouble with the store is logged while it lasts, in milliseconds.
pub const TROUBLE_LOG_MS: u64 = 30_000;

const _: () = assert!(NAME_BYTES_MAX <= deepslate_storage::limits::NAME_BYTES_MAX);
const _: () = assert!(NAMESPACE_BYTES_MAX <= deepslate_storage::limits::NAME_BYTES_MAX);
const _: () = assert!(PARTS_MAX <= deepslate_storage::limits::PART_NUMBER_MAX as usize);
const _: () = assert!(STORE_BACKOFF_MS.0 <= STORE_BACKOFF_MS.1);
