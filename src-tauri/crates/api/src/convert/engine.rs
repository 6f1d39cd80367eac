//! The state of the engine.

use std::collections::BTreeMap;
use tokenry_contract as contract;
use tokenry_engine::{Status, VaultReport};

/// The state of the engine.
pub(crate) fn status(status: Status) -> contract::EngineStatus {
    let mut connections = BTreeMap::new();
    // The API counts by status alone, whatever the reason of `needs_reauth` is.
    for (status, count) in status.connections {
        *connections.entry(status.word()).or_insert(0) += count;
    }
    contract::EngineStatus {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pid: std::process::id(),
        window: status.window,
        vault: vault(status.vault),
        providers: status.providers,
        connections,
        daily_backup_failure: status.daily_backup_failure,
    }
}

fn vault(report: VaultReport) -> contract::Vault {
    let (code, message) = report.problem.unzip();
    contract::Vault {
        state: report.state,
        slots: report.slots,
        read_only: report.read_only,
        older: report.older,
        code,
        message,
        waiting_for_keyring: report.waiting_for_keyring,
        unlock_requests: report.unlock_requests,
    }
}
