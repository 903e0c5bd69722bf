// What a failed call means to the person: what happened, and what to do.
import { ApiError } from '../net/api';
import { t } from '../strings';

export function errorText(e: unknown): string {
	if (!(e instanceof ApiError)) return t.wentWrong;
	if (e.status === 0) return t.noConnection;
	return e.detail ? `${t.wentWrong}: ${e.detail}` : t.wentWrong;
}
