//! The first moment of a profile.

use crate::{Error, connect, damage, private, reserve, schema, spill};
use rusqlite::TransactionBehavior;
use std::{fs, io, path::Path};

/// Makes the database under another name, whole and on the disk, and only then gives it its own.
///
/// So a database that is empty or short was never one that we were about to make: it is damaged, and no new vault
/// is put in its place.
pub(crate) fn database(folder: &Path, file: &Path) -> Result<(), Error> {
    refuse_orphans(folder, file)?;
    let draft = file.with_extension("db.new");
    private::remove(&draft)?;
    private::remove(&file.with_extension("db.new-journal"))?;
    private::create(&draft).map_err(damage::io(&draft))?;
    let made = fill(&draft).and_then(|()| publish(&draft, file));
    private::remove(&draft)?;
    made?;
    private::sync_folder(folder)
}

/// What only an engine with a database leaves: a new database would take the place of one that was lost, and a log
/// would even be played into it.
fn refuse_orphans(folder: &Path, file: &Path) -> Result<(), Error> {
    let left = if private::holds_bytes(&file.with_extension("db-wal")) {
        "its write-ahead log"
    } else if spill::is_any_in(folder)? {
        "a sealed record that belongs to it"
    } else if reserve::is_there(folder) {
        "its reserve file (tokenry.reserve)"
    } else {
        return Ok(());
    };
    Err(Error::DatabaseGone {
        folder: folder.to_owned(),
        left: left.to_owned(),
    })
}

fn fill(draft: &Path) -> Result<(), Error> {
    let mut connection = connect::writer(draft)?;
    connection
        .pragma_update(None, "page_size", schema::PAGE as i64)
        .and_then(|()| connect::durable(&connection))
        .and_then(|()| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            schema::lay_out(&transaction)?;
            transaction.commit()
        })
        .and_then(|()| connection.close().map_err(|(_, error)| error))
        .map_err(|e| damage::sqlite(draft, e))
}

/// A hard link, since a rename would silently replace a database that was created in between.
fn publish(draft: &Path, file: &Path) -> Result<(), Error> {
    match fs::hard_link(draft, file) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(_) => fs::rename(draft, file).map_err(damage::io(file)),
    }
}
