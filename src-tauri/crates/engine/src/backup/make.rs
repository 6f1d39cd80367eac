//! Writes a backup: consent, the draft, the comparison, the name.

use crate::{
    Engine, Error,
    access::{consent::AccessRequest, policy::Operation},
    backup::{
        JobKind, JobResult, JobView,
        collect::{Collected, collect},
        file::{Draft, Target, TargetError, shown},
        job::Job,
        step::{Step, reached},
    },
    engine::blocking,
    lifecycle::vault_handle::check_new_passphrase,
    records::sealed_store::SealedStore,
};
use std::{path::PathBuf, sync::Arc};
use tokenry_backup::{Counts, Digest, Header, Key, Reader, Seal};
use tokenry_core::{Caller, EventKind, Outcome, Rule, Secret, Timestamp};

/// What the user has to know before refresh tokens go into a file.
pub(super) const REFRESH_TOKENS: &str = "It contains refresh tokens. A rotating refresh token can live in one place only: \
                                         after a restore on another machine, the connection here ends.";

/// What a backup is encrypted for.
#[derive(Clone)]
pub enum BackupSeal {
    /// The holders of these age keys (`age1…`).
    Recipients(Vec<String>),
    /// A passphrase.
    Passphrase(Secret),
}

impl BackupSeal {
    /// # Errors
    /// By its field, when a recipient is none or the passphrase is too short.
    pub(super) fn read(&self) -> Result<Seal, Error> {
        match self {
            Self::Recipients(recipients) => Seal::recipients(recipients)
                .map_err(|error| Error::field("recipients", format!("cannot be used: {error}"))),
            Self::Passphrase(passphrase) => {
                check_new_passphrase("passphrase", passphrase)?;
                Ok(Seal::passphrase(passphrase.clone()))
            }
        }
    }

    fn words(&self) -> Vec<String> {
        match self {
            Self::Passphrase(_) => {
                vec!["It is encrypted with a passphrase that the requester chose.".to_owned()]
            }
            Self::Recipients(recipients) => recipients
                .iter()
                .map(|recipient| format!("It is encrypted for {}.", shortened(recipient)))
                .collect(),
        }
    }
}

/// A backup to write.
pub struct NewBackup {
    /// The file: an absolute path.
    pub file: PathBuf,
    /// What it is encrypted for.
    pub seal: BackupSeal,
    /// Whether it holds refresh tokens.
    pub with_refresh_tokens: bool,
    /// Whether a file of this name is replaced.
    pub replace: bool,
}

/// A backup that was written, synced, opened again and compared.
#[derive(Debug, Clone)]
pub struct BackupMade {
    /// The file.
    pub file: PathBuf,
    /// Its length.
    pub bytes: u64,
    /// When.
    pub made_at: Timestamp,
    /// What it holds.
    pub counts: Counts,
    /// Whether it holds refresh tokens.
    pub with_refresh_tokens: bool,
    /// What the user should know about its folder.
    pub warning: Option<String>,
}

impl Engine {
    /// Begins to write a backup. A program needs the user's consent each time.
    ///
    /// # Errors
    /// While locked; when the file cannot be written there, a recipient is none, or the user does not agree.
    pub async fn start_backup(&self, caller: &Caller, new: NewBackup) -> Result<JobView, Error> {
        self.not_denied(caller, &AccessRequest::new(Operation::Backup))?;
        self.store()?;
        let seal = new.seal.read()?;
        let mut wanted = AccessRequest::new(Operation::Backup).note(format!(
            "It writes the file {}{}.",
            shown(&new.file),
            if new.replace {
                ", and replaces one of this name"
            } else {
                ""
            }
        ));
        wanted.notes.extend(new.seal.words());
        wanted.notes.push("It contains all providers with their client secrets, all connections and all credentials with their values.".to_owned());
        wanted.notes.push(match new.with_refresh_tokens {
            true => REFRESH_TOKENS.to_owned(),
            false => "It contains no tokens: connections need a new sign-in after a restore.".to_owned(),
        });
        let (file, replace) = (new.file.clone(), new.replace);
        let look = move || Ok(Target::new(&file, replace)?);
        let check = async { blocking(look.clone()).await.map(drop) };
        self.check_before_asking(caller, &wanted, check).await?;
        let rule = self.permit(caller, wanted).await?.rule;
        let target = blocking(look).await?;
        self.begin_backup(caller, Some(rule), seal, target, new.with_refresh_tokens)
    }

    /// Begins to write a backup that is allowed already.
    pub(super) fn begin_backup(
        &self,
        caller: &Caller,
        rule: Option<Rule>,
        seal: Seal,
        target: Target,
        with_refresh_tokens: bool,
    ) -> Result<JobView, Error> {
        let (engine, caller) = (self.clone(), caller.clone());
        self.begin_job(JobKind::Backup, move |job| async move {
            let made = engine.clone();
            let path = target.path.clone();
            let written =
                blocking(move || made.write_backup(&job, &seal, &target, with_refresh_tokens)).await;
            engine.note_backup(&caller, rule, &path, &written);
            written.map(|made| JobResult::Backup(Arc::new(made)))
        })
    }

    fn note_backup(
        &self,
        caller: &Caller,
        rule: Option<Rule>,
        path: &std::path::Path,
        written: &Result<BackupMade, Error>,
    ) {
        let (outcome, detail) = match written {
            Ok(made) if made.with_refresh_tokens => {
                (Outcome::Done, format!("{}, with refresh tokens", shown(path)))
            }
            Ok(_) => (Outcome::Done, shown(path)),
            // The daily backup tells of its failures once a day.
            Err(_) if *caller == Caller::Engine => return,
            Err(error) => (Outcome::Failed, error.to_string()),
        };
        let mut event = self
            .event(caller, EventKind::BackedUp, outcome)
            .with_detail(&detail);
        event.rule = rule.or(event.rule);
        self.inner.activity.push(event);
    }

    /// Writes, syncs, compares and names it. Blocks. The vault is used only while its records are read.
    fn write_backup(
        &self,
        job: &Job,
        seal: &Seal,
        target: &Target,
        with_refresh_tokens: bool,
    ) -> Result<BackupMade, Error> {
        let (prepared, key) = seal.prepare().map_err(|error| file_error(target, error))?;
        job.goes_on()?;
        let (now, (vault, collected)) = (self.now(), self.collected(job, with_refresh_tokens)?);
        let header = Header {
            format: tokenry_backup::FORMAT.to_owned(),
            version: tokenry_backup::VERSION,
            vault,
            made_at: now,
            with_refresh_tokens,
            counts: collected.counts,
        };
        let counts = collected.counts;
        job.set_total(counts.sum() * 2);
        let draft = target.draft(&*self.inner.random)?;
        let digest = write(job, &draft, target, prepared, &header, collected)?;
        reached(Step::BackupWritten);
        let bytes = draft.sync(target)?;
        compare(job, &draft, target, &key, digest)?;
        reached(Step::BackupCompared);
        job.goes_on()?;
        draft.publish(target)?;
        Ok(BackupMade {
            file: target.path.clone(),
            bytes,
            made_at: now,
            counts,
            with_refresh_tokens,
            warning: target.warning.clone(),
        })
    }

    fn collected(&self, job: &Job, with_refresh_tokens: bool) -> Result<(String, Collected), Error> {
        let store: Arc<SealedStore> = self.store()?;
        let collected = collect(&store, with_refresh_tokens, self.now(), job)?;
        Ok((store.vault().id().to_string(), collected))
    }
}

fn write(
    job: &Job,
    draft: &Draft,
    target: &Target,
    prepared: tokenry_backup::Prepared,
    header: &Header,
    collected: Collected,
) -> Result<Digest, Error> {
    let half = collected.entries.len() / 2;
    let mut writer = prepared
        .begin(&draft.file, header)
        .map_err(|error| file_error(target, error))?;
    for (at, entry) in collected.entries.into_iter().enumerate() {
        job.step()?;
        if at == half {
            reached(Step::BackupHalfWritten);
        }
        writer.put(&entry).map_err(|error| file_error(target, error))?;
    }
    let (_, digest) = writer.finish().map_err(|error| file_error(target, error))?;
    Ok(digest)
}

/// Opens the file anew and reads it to its end: every entry must be readable, and all of them must be what was written.
fn compare(job: &Job, draft: &Draft, target: &Target, key: &Key, written: Digest) -> Result<(), Error> {
    let differs = |_| TargetError::Differs(shown(&target.path));
    let file = draft.reopened(target)?;
    let mut reader = Reader::open(file, key).map_err(differs)?;
    while reader.next_entry().map_err(differs)?.is_some() {
        job.step()?;
    }
    match reader.digest() {
        Some(read) if read == written => Ok(()),
        _ => Err(TargetError::Differs(shown(&target.path)).into()),
    }
}

fn file_error(target: &Target, error: tokenry_backup::Error) -> Error {
    match error {
        tokenry_backup::Error::Io(error) => TargetError::of(&target.path, &error).into(),
        error => Error::BackupFile {
            file: shown(&target.path),
            error,
        },
    }
}

/// A recipient as it is shown: long enough to be told from others.
pub(super) fn shortened(recipient: &str) -> String {
    let recipient = tokenry_core::clean(recipient.trim());
    let characters: Vec<char> = recipient.chars().collect();
    match characters.len() {
        0..=24 => recipient,
        length => {
            let (start, end): (String, String) = (
                characters[..12].iter().collect(),
                characters[length - 8..].iter().collect(),
            );
            format!("{start}…{end}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::job::Job;
    use std::{fs, io::Write as _};
    use tokenry_core::{Clock as _, JobId, OsRandom, SystemClock};

    const RECIPIENT: &str = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";

    /// Writes an empty backup as a draft, has `change` do something to its file, and compares.
    fn compared(change: impl FnOnce(&std::path::Path)) -> Result<(), Error> {
        let folder = tempfile::tempdir().unwrap();
        let target = Target::new(&folder.path().join("backup.age"), false).unwrap();
        let job = Job::new(JobId::new(&SystemClock, &OsRandom), JobKind::Backup);
        let seal = Seal::recipients(&[RECIPIENT.to_owned()]).unwrap();
        let (prepared, key) = seal.prepare().unwrap();
        let header = Header {
            format: tokenry_backup::FORMAT.to_owned(),
            version: tokenry_backup::VERSION,
            vault: "00".repeat(16),
            made_at: SystemClock.now(),
            with_refresh_tokens: false,
            counts: Counts::default(),
        };
        let nothing = Collected {
            entries: Vec::new(),
            counts: Counts::default(),
        };
        let draft = target.draft(&OsRandom).unwrap();
        let digest = write(&job, &draft, &target, prepared, &header, nothing)?;
        draft.sync(&target)?;
        let path = fs::read_dir(folder.path())
            .unwrap()
            .next()
            .unwrap()
            .unwrap()
            .path();
        change(&path);
        let compared = compare(&job, &draft, &target, &key, digest);
        drop(draft);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        compared
    }

    #[test]
    fn what_the_disk_gives_back_differently_is_no_backup_and_is_removed() {
        compared(|_| ()).unwrap();
        let differs = |result: Result<(), Error>| {
            let error = result.unwrap_err().to_string();
            assert!(error.contains("could not be read back"), "{error}");
        };
        differs(compared(|path| {
            let mut bytes = fs::read(path).unwrap();
            let last = bytes.len() - 1;
            bytes[last] ^= 1;
            fs::write(path, bytes).unwrap();
        }));
        differs(compared(|path| {
            fs::File::options()
                .write(true)
                .open(path)
                .unwrap()
                .set_len(100)
                .unwrap()
        }));
        differs(compared(|path| {
            fs::File::options()
                .append(true)
                .open(path)
                .unwrap()
                .write_all(b"more")
                .unwrap();
        }));
    }

    #[test]
    fn a_recipient_is_shown_short_and_told_from_others() {
        assert_eq!(shortened(RECIPIENT), "age1t7rxyev2…6svpy7pa");
        assert_eq!(shortened("short"), "short");
    }
}
