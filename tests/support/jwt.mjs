// jwt: tokens signed by the development provider's own keys, which it publishes.

import { constants, createPrivateKey, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** header: over {alg, kid}; typ null leaves it out. */
export function sealed(stack, claims, header = {}, alg = "RS256") {
	const { keys } = JSON.parse(readFileSync(join(stack.state, "devidp/keys.json"), "utf8"));
	const jwk = keys.find((k) => k.alg === alg);
	const part = (o) => Buffer.from(JSON.stringify(o)).toString("base64url");
	const head = { alg, kid: jwk.kid, ...header };
	if (head.typ === null) delete head.typ;
	const text = `${part(head)}.${part(claims)}`;
	const key = { key: createPrivateKey({ key: jwk, format: "jwk" }), dsaEncoding: "ieee-p1363" };
	if (alg === "PS256") Object.assign(key, { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST });
	return `${text}.${sign(alg === "EdDSA" ? null : "sha256", Buffer.from(text), key).toString("base64url")}`;
}
export const nowS = () => Math.floor(Date.now() / 1000);
