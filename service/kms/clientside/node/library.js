// The AWS Encryption SDK for JavaScript, driven from standard input: one request
// in JSON a line, one answer a line. Endpoint, region and keys come from the
// environment, as for every client of AWS.
import { createInterface } from 'node:readline'
import {
  AlgorithmSuiteIdentifier, BranchKeyStoreNode, CommitmentPolicy, KmsHierarchicalKeyRingNode, KmsKeyringNode,
  NodeCachingMaterialsManager, buildAwsKmsMrkAwareDiscoveryMultiKeyringNode, buildAwsKmsMrkAwareStrictMultiKeyringNode,
  buildClient, getLocalCryptographicMaterialsCache,
} from '@aws-crypto/client-node'

const { encrypt, decrypt } = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)

const suites = {
  committed: AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY,
  signed: AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY_ECDSA_P384,
}

const keyrings = {
  'kms': k => new KmsKeyringNode({ generatorKeyId: k.generator, keyIds: k.keys }),
  'discovery': () => new KmsKeyringNode({ discovery: true }),
  'mrk': k => buildAwsKmsMrkAwareStrictMultiKeyringNode({ generatorKeyId: k.generator, keyIds: k.keys }),
  'mrk-discovery': k => buildAwsKmsMrkAwareDiscoveryMultiKeyringNode({ regions: k.regions }),
  'hierarchical': k => new KmsHierarchicalKeyRingNode({
    branchKeyId: k.branch, cacheLimitTtl: 60,
    keyStore: new BranchKeyStoreNode({
      storage: { ddbTableName: k.table }, logicalKeyStoreName: k.table, kmsConfiguration: { identifier: k.generator },
    }),
  }),
}

const managers = new Map() // that cache, by what they were asked for

function materials(keyring, cached) {
  const made = () => keyrings[keyring.kind](keyring)
  if (!cached) return made()
  const name = JSON.stringify(keyring)
  if (!managers.has(name)) {
    managers.set(name, new NodeCachingMaterialsManager({
      backingMaterials: made(), cache: getLocalCryptographicMaterialsCache(16), maxAge: 600_000, maxMessagesEncrypted: 2,
    }))
  }
  return managers.get(name)
}

async function answer({ verb, keyring, cached, suite, context, data }) {
  const from = Buffer.from(data, 'base64')
  switch (verb) {
    case 'encrypt': {
      const { result } = await encrypt(materials(keyring, cached), from, { suiteId: suites[suite], encryptionContext: context })
      return { data: result.toString('base64') }
    }
    case 'decrypt': {
      const { plaintext, messageHeader } = await decrypt(materials(keyring, cached), from)
      return { data: plaintext.toString('base64'), context: { ...messageHeader.encryptionContext } }
    }
  }
  throw new Error(`no verb ${verb}`)
}

for await (const line of createInterface({ input: process.stdin })) {
  const said = await answer(JSON.parse(line)).catch(e => ({ error: e.message || String(e) }))
  process.stdout.write(JSON.stringify(said) + '\n')
}
