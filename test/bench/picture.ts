// A picture of signatures per second beside what people would use instead, for docs/performance.md: an SVG of bars, light and dark.
import type { Figures } from './rates.ts';

const labels: Readonly<Record<string, string>> = {
  sign_over_node_server_32: 'node:http, 25 lines, no checks',
  sign_over_go_sidecar: 'Go, net/http and crypto/rsa',
  sign_over_transit: 'OpenBao transit on loopback',
  sign_over_wechatpay_axios_plugin: 'wechatpay-axios-plugin in process',
  sign_over_alipay_sdk: 'alipay-sdk in process',
};

const [width, left, rowHeight, barHeight] = [720, 250, 34, 18];

/** Each peer's rate as a share of ours; a peer that was not measured has no bar. */
export function drawPicture(figures: Figures): string {
  const peers = Object.entries(labels).flatMap(([key, label]) => {
    const ratio = figures[key];
    return ratio === undefined ? [] : [{ label, share: 1 / ratio }];
  });
  const rows = [{ label: 'paycert', share: 1 }, ...peers];
  const longest = Math.max(...rows.map(({ share }) => share));
  const bars = rows.map(({ label, share }, index) => {
    const y = 46 + index * rowHeight;
    const length = ((width - left - 60) * share) / longest;
    const kind = index === 0 ? 'ours' : 'theirs';
    return [
      `<text x="${String(left - 10)}" y="${String(y + 14)}" text-anchor="end">${label}</text>`,
      `<rect class="${kind}" x="${String(left)}" y="${String(y)}" width="${length.toFixed(1)}" height="${String(barHeight)}" rx="2"/>`,
      `<text x="${(left + length + 8).toFixed(1)}" y="${String(y + 14)}">${share.toFixed(2)}</text>`,
    ].join('\n');
  });
  const height = 60 + rows.length * rowHeight;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${String(width)} ${String(height)}" role="img" aria-label="Signatures per second beside what people would use instead">
<style>
text { font: 13px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600 }
.ours { fill: #1a7f37 }
.theirs { fill: #8c959f }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .ours { fill: #3fb950 } .theirs { fill: #6e7681 } }
</style>
<text class="title" x="10" y="24">RSA-2048 signatures per second, paycert = 1, 32 callers, one run on two cores</text>
${bars.join('\n')}
</svg>
`;
}
