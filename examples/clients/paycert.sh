# Asks paycert's sidecar from a shell, the same way for every platform. For bash, curl 7.84 and jq: `. ./paycert.sh`.
: "${PAYCERT_SOCKET:=/run/paycert/paycert.sock}"

# ask CREDENTIAL OPERATION QUESTION: prints what paycert answers. Fails unless that is a 200, and says why.
ask() {
  local answer
  answer=$(curl -q -sS --max-time 10 --noproxy '*' --fail-with-body --unix-socket "$PAYCERT_SOCKET" -H 'Content-Type: application/json' \
    --data-binary @- "http://paycert/v1/credentials/$1/$2" <<<"$3") || { printf '%s\n' "$answer" >&2; return 1; }
  printf '%s\n' "$answer"
}

# send CREDENTIAL REQUEST: has it signed, sends exactly what was signed, and prints the response as `verify` takes it.
send() (
  signed=$(ask "$1" authorize "$2") || exit
  directory=$(mktemp -d) && trap 'rm -r "$directory"' EXIT && cd "$directory" || exit
  printf '%s' "$2" >request
  # To curl, `NAME:` takes a header out and `NAME;` is one without a value.
  jq -r '.headers | to_entries[] | if .value == "" then "\(.key);" else "\(.key): \(.value)" end' <<<"$signed" >headers
  # paycert returns the body where another one was signed than was given. jq can write text, and base64 bytes.
  jq -c --slurpfile request request 'if .body // .bodyBase64 then . else $request[0] end' <<<"$signed" >sent
  if jq -e .bodyBase64 sent >/dev/null; then jq -r .bodyBase64 sent | base64 -d; else jq -j '.body // empty' sent; fi >body
  # To the letter: no [1-3], {a,b} or dot segments of an address are rewritten, and no .curlrc is read.
  method=$(jq -r .method <<<"$signed")
  set -- -q --globoff --path-as-is -X "$method" -H @headers --url "$(jq -r .url <<<"$signed")"
  case $method in
  HEAD) set -- "$@" --head ;;
  POST | PUT | PATCH) [ -s body ] || set -- "$@" -H 'Content-Length: 0' ;;
  esac
  [ ! -s body ] || set -- "$@" --data-binary @body
  curl "$@" -sS --max-time 10 -o response -w '{"status":%{http_code},"headers":%{header_json}}' >received || exit
  [ "$method" != HEAD ] || : >response
  touch response && base64 response | tr -d '\n' >encoded
  jq -s --rawfile body encoded '.[0] as $request | .[1] as $signed | .[2] | {kind: "response", status,
    method: $signed.method, url: $signed.url, headers: (.headers | map_values(.[0])), bodyBase64: $body} +
    ($request | if .apiMethod then {apiMethod} else {} end)' request - received <<<"$signed"
)

# body RESPONSE: prints its body, proven or not.
body() { jq -r .bodyBase64 <<<"$1" | base64 -d; }

# verify CREDENTIAL RESPONSE: prints the response's body if the platform has signed it, and fails otherwise.
verify() { ask "$1" verify "$2" >/dev/null && body "$2"; }
