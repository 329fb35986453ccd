using Spectre.Console;

namespace TeleCmi.LoadTest.Reports;

/// <summary>Tables that can be pasted into a document.</summary>
internal static class Tables
{
    public static Table New(string title, params string[] columns)
    {
        var table = new Table().Border(TableBorder.Markdown).AddColumn(title);
        foreach (var column in columns)
        {
            table.AddColumn(new TableColumn(column).RightAligned());
        }

        return table;
    }
}
