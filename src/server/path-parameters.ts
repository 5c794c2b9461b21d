// Whether a path is that of a row, and what stands in it for each name of the row's path: `/v1/{name}`, `/{name}/{+rest}`.
import { setMember } from '../members.ts';

/**
 * What stands in a path for each name; undefined where it is another path. `segments`: of the row's path, without the slash that it begins
 * with. By hand: an expression with names makes several objects for each request.
 * @example
 * parametersIn(['v1', '{name}'], '/v1/wechat'); // { name: 'wechat' }
 */
export function parametersIn(segments: readonly string[], path: string): Readonly<Record<string, string>> | undefined {
  const parameters: Record<string, string> = {};
  let at = 0;
  for (const segment of segments) {
    if (path[at] !== '/') return undefined;
    at += 1;
    if (segment.startsWith('{+')) {
      setMember(parameters, segment.slice(2, -1), path.slice(at));
      return parameters;
    }
    const slash = path.indexOf('/', at);
    const end = slash < 0 ? path.length : slash;
    if (segment.startsWith('{')) {
      if (end === at) return undefined;
      setMember(parameters, segment.slice(1, -1), path.slice(at, end));
    } else if (end - at !== segment.length || !path.startsWith(segment, at)) return undefined;
    at = end;
  }
  return at === path.length ? parameters : undefined;
}
