//! Whose account an answer is for.

use crate::{Error, records::sealed_store::SealedStore};
use tokenry_core::{Account, Flow};

pub(super) fn another_account(store: &SealedStore, flow: &Flow, account: Option<&Account>) -> Option<Error> {
    if !flow.renews {
        return None;
    }
    let index = store.index();
    let connection = index.connection(flow.connection)?;
    // Where it was never told, there is nothing to compare with: the user chose which connection to renew.
    let before = connection.account.clone()?;
    let Some(now) = account else {
        let name = index.name_of(connection);
        let not_told = Error::AccountNotTold(name, before.display_name().to_owned());
        return (!flow.allow_unknown_account).then_some(not_told);
    };
    (before.subject != now.subject).then(|| Error::OtherAccount {
        expected: before.display_name().to_owned(),
        found: now.display_name().to_owned(),
    })
}
