use super::{connection, error_code};
use std::collections::BTreeMap;
use tokenry_contract as contract;
use tokenry_engine::{Status, VaultReport, VaultState};
use tokenry_vault::SlotKind;

/// How the engine is.
pub(crate) fn status(status: Status) -> contract::EngineStatus {
    let mut connections = BTreeMap::new();
    // The contract counts by status alone: two reasons to connect again are one count.
    for (kind, count) in status.connections {
        *connections.entry(connection::status(kind).0).or_insert(0) += count;
    }
    contract::EngineStatus {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pid: std::process::id(),
        window: status.window,
        vault: vault(status.vault),
        providers: status.providers,
        connections,
    }
}

fn vault(report: VaultReport) -> contract::Vault {
    let (code, message) = report.problem.unzip();
    contract::Vault {
        state: match report.state {
            VaultState::Absent => contract::VaultState::Absent,
            VaultState::Locked => contract::VaultState::Locked,
            VaultState::Unlocked => contract::VaultState::Unlocked,
            VaultState::Damaged => contract::VaultState::Damaged,
        },
        slots: report.slots.into_iter().map(slot).collect(),
        read_only: report.read_only,
        older: report.older,
        code: code.map(error_code),
        message,
        waiting_for_keyring: report.waiting_for_keyring,
    }
}

fn slot(kind: SlotKind) -> contract::SlotKind {
    match kind {
        SlotKind::Keyring => contract::SlotKind::Keyring,
        SlotKind::KeyringAndPassphrase => contract::SlotKind::KeyringAndPassphrase,
        SlotKind::Passphrase => contract::SlotKind::Passphrase,
        SlotKind::RecoveryCode => contract::SlotKind::RecoveryCode,
    }
}
