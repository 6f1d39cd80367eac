//! Work on a backup that is cancelled, by its caller or by a lock.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_cancels_the_work_and_forgets_what_was_read() {
    let (_world, engine, file) = backed_up(true).await;
    let preview = read(&engine, &file, identity()).await.unwrap();
    let slow = file.with_file_name("slow.age");
    let with = NewBackup {
        seal: BackupSeal::Passphrase(Secret::new(PASSPHRASE.to_owned())),
        ..new(&slow)
    };
    let job = engine.start_backup(&ui(), with).await.unwrap();
    // The key derivation takes longer than this.
    engine.lock(&ui()).await.unwrap();
    assert!(matches!(ended(&engine, job).await, JobEnd::Cancelled));
    assert!(!slow.exists());
    assert_eq!(
        files_in(slow.parent().unwrap()),
        ["backup.age", "profile", "state"]
    );
    engine.unlock(&ui(), None, false).await.unwrap();
    let error = engine
        .apply_restore(&ui(), preview.id, Vec::new())
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::NotFound, "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_backup_runs_at_a_time_and_a_cancelled_one_leaves_nothing_behind() {
    let (_world, engine, file) = backed_up(true).await;
    let slow = file.with_file_name("slow.age");
    let with = |path: &Path| NewBackup {
        seal: BackupSeal::Passphrase(Secret::new(PASSPHRASE.to_owned())),
        ..new(path)
    };
    let job = engine.start_backup(&ui(), with(&slow)).await.unwrap();
    let busy = engine
        .start_backup(&ui(), with(&file.with_file_name("other.age")))
        .await
        .unwrap_err();
    assert_eq!(busy.code(), Code::RateLimited, "{busy}");
    engine.cancel_job(&ui(), job.id).unwrap();
    assert!(matches!(ended(&engine, job).await, JobEnd::Cancelled));
    assert_eq!(
        files_in(slow.parent().unwrap()),
        ["backup.age", "profile", "state"]
    );
}
