// A transcript as a Word document. Loaded when somebody asks for one.

import { Document, Packer, Paragraph, TextRun } from 'docx';
import { joinText } from '../../text/join.ts';
import { clock, type Exportable, paragraphsOf, type ShownSegment } from './export.ts';

const GREY = '7A7168';

export async function toDocx({ title, createdAtMs, durationSeconds, segments }: Exportable): Promise<Blob> {
  const language = mainLanguage(segments);
  const document = new Document({
    title,
    creator: 'Sotto',
    styles: {
      default: {
        document: {
          run: {
            size: 23, // half points
            font: { ascii: 'Georgia', hAnsi: 'Georgia', cs: 'Georgia', eastAsia: eastAsianFont(language) },
            language: { value: 'en-US', eastAsia: language },
          },
          paragraph: { spacing: { after: 160, line: 340 } },
        },
      },
    },
    sections: [
      {
        children: [
          new Paragraph({ children: [new TextRun({ text: title, size: 34, bold: true })] }),
          new Paragraph({
            children: [
              new TextRun({
                text: `${new Date(createdAtMs).toISOString().slice(0, 10)} · ${clock(durationSeconds)}`,
                color: GREY,
                size: 19,
              }),
            ],
          }),
          ...paragraphsOf(segments).map(paragraph),
        ],
      },
    ],
  });
  return Packer.toBlob(document);
}

function paragraph(segments: readonly ShownSegment[]): Paragraph {
  const time = clock(segments[0]?.startSeconds ?? 0);
  return new Paragraph({
    children: [
      new TextRun({ text: `${time}  `, color: GREY, size: 19 }),
      new TextRun(joinText(segments.map(({ text }) => text))),
    ],
  });
}

/** The language of most segments, as Word names it. */
function mainLanguage(segments: readonly ShownSegment[]): string {
  const counts = new Map<string, number>();
  for (const { language } of segments) counts.set(language, (counts.get(language) ?? 0) + 1);
  const chinese = [...counts].filter(([tag]) => /^(zh|yue)/.test(tag)).sort(([, a], [, b]) => b - a)[0]?.[0];
  switch (chinese) {
    case 'zh-Hant-HK':
    case 'yue-Hant':
      return 'zh-HK';
    case 'zh-Hant':
    case 'zh-Hant-TW':
      return 'zh-TW';
    default:
      return 'zh-CN';
  }
}

function eastAsianFont(language: string): string {
  return language === 'zh-CN' ? 'Microsoft YaHei' : 'Microsoft JhengHei';
}
