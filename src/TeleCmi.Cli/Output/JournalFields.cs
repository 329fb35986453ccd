using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using TeleCmi.Pipeline.Journaling;
using TeleCmi.Pipeline.Telemetry;

namespace TeleCmi.Cli.Output;

/// <summary>
/// A journal row as it is shown and exported: the columns of <see cref="JournalRow"/>, what names the row in front and the
/// handlers at the end. A new column appears by itself.
/// </summary>
internal static class JournalFields
{
    private const string Day = "day";
    private const string EventId = "eventId";
    private const string Event = "event";
    private const string Handlers = "handlers";

    // Masked in listings; and there the message of a failure, which may say anything, is left out.
    private static readonly string[] PhoneNumbers = ["callerId", "to", "from", "virtualNumber"];
    private const string LastFailure = "lastFailure";

    private static readonly Dictionary<string, JsonPropertyInfo> Properties =
        CliJson.Default.JournalRow.Properties.ToDictionary(property => property.Name, StringComparer.Ordinal);

    /// <summary>The columns' names, without the event itself.</summary>
    public static IReadOnlyList<string> Names { get; } = [Day, EventId, .. Properties.Keys.Except(["key", EventId, Event, Handlers], StringComparer.Ordinal), Handlers];

    /// <summary>The columns' values as text.</summary>
    public static IEnumerable<string?> TextsOf(JournalRow row) => Names.Select(name => ValueOf(row, name) switch
    {
        IReadOnlyDictionary<string, string> handlers => handlers.Count == 0 ? null : string.Join(' ', handlers.Select(handler => $"{handler.Key}:{handler.Value}")),
        var value => Convert.ToString(value, CultureInfo.InvariantCulture),
    });

    /// <summary>The row as JSON.</summary>
    /// <param name="row">The row.</param>
    /// <param name="inFull">With the event itself and with phone numbers; otherwise they are masked.</param>
    public static JsonObject JsonOf(JournalRow row, bool inFull)
    {
        var json = new JsonObject();
        foreach (var name in Names.Where(name => inFull || name != LastFailure))
        {
            json[name] = ValueOf(row, name) switch
            {
                null => null,
                string number when !inFull && PhoneNumbers.Contains(name) => LogText.OfPhoneNumber(number),
                var value => JsonSerializer.SerializeToNode(value, CliJson.Default.Options.GetTypeInfo(value is string ? typeof(string) : Properties[name].PropertyType)),
            };
        }

        if (inFull)
        {
            json[Event] = EventOf(row);
        }

        return json;
    }

    /// <summary>The event; as a text where it is no JSON.</summary>
    public static JsonNode? EventOf(JournalRow row)
    {
        try
        {
            return row.Event is null ? null : JsonNode.Parse(row.Event);
        }
        catch (JsonException)
        {
            return row.Event;
        }
    }

    private static object? ValueOf(JournalRow row, string name) => name == Day ? row.Key.Partition : Properties[name].Get!(row) switch
    {
        DateTimeOffset time => Times.Of(time),
        var value => value,
    };
}
