//! Dumps that are encrypted for keys which the machine that stores them does not hold: age's format around a whole
//! dump file, its header included. What is left to be read of one is its name.

use std::{
    fs::File,
    io::{self, BufReader, Read, Seek, Write},
    path::Path,
    str::FromStr,
    sync::Arc,
};

use age::{Decryptor, Encryptor, Identity, IdentityFile, Recipient, stream::StreamWriter, x25519};
use anyhow::{Context, Result, anyhow, ensure};

/// Such a file begins so.
const MAGIC: &[u8] = b"age-encryption.org/";

/// For whom dumps are encrypted.
#[derive(Clone, Debug)]
pub struct Recipients(Arc<[x25519::Recipient]>);

impl Recipients {
    /// Of public keys, as `age-keygen -y` prints them: `age1…`; `None`: of none.
    pub fn parse(keys: &[String]) -> Result<Option<Self>> {
        let parse = |key: &String| {
            let doing = || format!("understand the public key {key:?} (age1..., as `age-keygen -y FILE` prints it)");
            x25519::Recipient::from_str(key).map_err(|error| anyhow!(error)).with_context(doing)
        };
        let keys = keys.iter().map(parse).collect::<Result<Vec<_>>>()?;
        Ok((!keys.is_empty()).then(|| Self(keys.into())))
    }

    /// What is written is encrypted; `finish` ends it.
    pub(super) fn seal<W: Write>(&self, out: W) -> Result<StreamWriter<W>> {
        let recipients = self.0.iter().map(|key| key as &dyn Recipient);
        let encryptor = Encryptor::with_recipients(recipients).context("encrypt the dump")?;
        encryptor.wrap_output(out).context("encrypt the dump")
    }
}

/// That a dump is encrypted, where somebody wants to read it.
#[derive(Clone, Copy, Debug)]
pub struct Sealed;

impl std::fmt::Display for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the dump is encrypted: give the file of its key with --identity")
    }
}

impl std::error::Error for Sealed {}

/// Whether a dump's first bytes are those of an encrypted one.
pub(super) fn is_beginning(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().zip(MAGIC).all(|(byte, magic)| byte == magic)
}

/// Whether a file begins as an encrypted dump does.
pub fn is_sealed(mut file: impl Read) -> bool {
    let mut start = [0; MAGIC.len()];
    file.read_exact(&mut start).is_ok() && start == *MAGIC
}

/// Decrypts a dump into another file, by the secret keys in `identity`, as age-keygen writes them.
pub fn unseal(sealed: impl Read, identity: &Path, to: &mut File) -> Result<()> {
    let doing = || format!("read the key in {}", identity.display());
    let keys = BufReader::new(File::open(identity).with_context(doing)?);
    let keys = IdentityFile::from_buffer(keys).with_context(doing)?;
    let keys = keys.into_identities().map_err(|error| anyhow!("{error}")).with_context(doing)?;
    ensure!(!keys.is_empty(), "there is no key in {}: it begins with AGE-SECRET-KEY-", identity.display());
    let decryptor = Decryptor::new_buffered(BufReader::new(sealed)).context("decrypt the dump")?;
    let keys = keys.iter().map(|key| &**key as &dyn Identity);
    let mut plain =
        decryptor.decrypt(keys).with_context(|| format!("decrypt the dump by the key in {}", identity.display()))?;
    io::copy(&mut plain, to).context("decrypt the dump")?;
    to.rewind().context("decrypt the dump")
}
