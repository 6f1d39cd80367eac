//! What an address told, between the engine and the API.

use tokenry_contract as contract;
use tokenry_core::ProviderSettings;
use tokenry_engine::FoundAddress;

/// Only the settings that differ from the defaults.
pub(crate) fn discovered(found: FoundAddress, redirect_uris: Vec<String>) -> contract::Discovered {
    let mut settings = found.settings.to_map();
    let defaults = ProviderSettings::default().to_map();
    settings.retain(|name, value| defaults.get(name) != Some(value));
    contract::Discovered {
        kind: found.kind,
        address: found.address,
        name: found.name,
        settings: contract::ProviderSettingsPatch(settings),
        authorization_servers: found.authorization_servers,
        offered: found.offered,
        redirect_uris,
        registration: found.registration,
        warnings: found.warnings,
    }
}
