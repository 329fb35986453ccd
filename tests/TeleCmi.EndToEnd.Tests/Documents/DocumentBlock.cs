namespace TeleCmi.EndToEnd.Tests.Documents;

/// <summary>A fenced block of a document. Behind the language stands <c>start</c> (a receiver that keeps running) or <c>skip: why</c>.</summary>
internal sealed record DocumentBlock(string Language, string Mark, int FirstLine, IReadOnlyList<string> Lines)
{
    private const string Fence = "```";
    private const string Skip = "skip: ";

    public bool IsSkipped => Mark.StartsWith(Skip, StringComparison.Ordinal);

    public static IReadOnlyList<DocumentBlock> In(string document)
    {
        var blocks = new List<DocumentBlock>();
        var lines = File.ReadAllText(document).ReplaceLineEndings("\n").Split('\n');
        for (var i = 0; i < lines.Length; i++)
        {
            var opening = lines[i].TrimStart();
            if (!opening.StartsWith(Fence, StringComparison.Ordinal))
            {
                continue;
            }

            var indent = lines[i].Length - opening.Length;
            var first = ++i;
            while (lines[i].Trim() != Fence)
            {
                i++;
            }

            var info = opening[Fence.Length..].Split(' ', 2);
            blocks.Add(new(info[0], info.Length > 1 ? info[1] : "", first + 1, [.. lines[first..i].Select(line => line.Length > indent ? line[indent..] : "")]));
        }

        return blocks;
    }
}
