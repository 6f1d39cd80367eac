//! Facts of JSON-RPC over the standard streams, for the MCP server and for the bridge.

/// The longest line of a client: 16 MiB.
pub(crate) const MAX_LINE_BYTES: usize = 16 * 1024 * 1024;

/// A line is not JSON (JSON-RPC 2.0, 5.1).
pub(crate) const PARSE_ERROR: i32 = -32_700;
/// A line is JSON, and not a message (JSON-RPC 2.0, 5.1).
pub(crate) const INVALID_REQUEST: i32 = -32_600;

/// Some programs begin a message with it. It may be ignored (RFC 8259, 8.1).
pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
