using System.Globalization;
using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;

namespace TeleCmi.Events.Tests.Hostile;

/// <summary>Laws that hold for every notice, with the counterexample made small when one does not.</summary>
public sealed class NoticeProperties
{
    private static readonly string[] Names =
    [
        "app_id", "appid", "type", "cmiuuid", "cmiuid", "conversation_uuid", "request_id", "call_id", "leg", "status", "direction", "time", "custom",
        "extra_params", "user", "to", "callerid", "from", "team", "parent_uid", "record", "answeredsec", "new field", "é", "",
    ];

    private static readonly string[] Words = ["a", "b", "event", "cdr", "outbound", "inbound", "answered", "17", "1650635340436", "true", "{\"a\":1}", "-", "~", "%2D", "", "null", "Undefined", "2223343.0", "1e3"];

    private static readonly string[] IdFields = ["cmiuuid", "conversation_uuid", "request_id", "call_id"];

    private static readonly Gen<string> Space = Gen.Elements("", " ", "\\t", "\\r\\n ", "\u00a0");

    private static readonly Arbitrary<string> Spellings = Arb.From(
        from appId in Gen.OneOf(
            Gen.Elements("2223343", "2223343.0", "2223343.000", "2.223343e6", "2223343E0"),
            Spelt(Gen.Elements("2223343", "2223343.0", "2.223343E+6")))
        from alias in Gen.Elements("\"app_id\":", "\"app_id\":\" NULL\",\"appid\":")
        from type in Spelt(AnyCase("event"))
        from direction in Spelt(AnyCase("outbound"))
        from leg in Spelt(AnyCase("b"))
        from status in Spelt(AnyCase("answered"))
        select $$"""{"status":{{status}},"leg":{{leg}},"direction":{{direction}},"type":{{type}},"callerid":"1","cmiuuid":"U",{{alias}}{{appId}}}""");

    private static readonly Gen<string> Text = Gen.Frequency(
        (2, Gen.Elements(Words)),
        (3, ArbMap.Default.GeneratorFor<NonNull<string>>().Select(text => WellFormed(text.Get))));

    private static readonly Arbitrary<Dictionary<string, string>> Fields = Arb.From(
        from names in Gen.SubListOf(Names)
        from texts in Gen.ArrayOf(Text, names.Count)
        select names.Zip(texts).ToDictionary(field => field.First, field => field.Second, StringComparer.Ordinal),
        fields => fields.Keys.Select(dropped => fields.Where(field => field.Key != dropped).ToDictionary(StringComparer.Ordinal)));

    [Fact]
    public void FieldOrder_MakesNoDifference() => Holds(Fields, fields =>
    {
        var one = Given.Notice(AsJson(fields));
        var other = Given.Notice(AsJson(fields.Reverse()));
        return one.Id == other.Id && one.ContentHash == other.ContentHash && one.Kind == other.Kind;
    });

    [Fact]
    public void GetAndPost_AreTheSameEvent() => Holds(Fields, fields =>
    {
        var byPost = Given.Notice(AsJson(fields));
        var byGet = Given.Form(NoticeForm.ToQuery(byPost.Json));
        return byPost.Id == byGet.Id && byPost.ContentHash == byGet.ContentHash && byPost.Kind == byGet.Kind;
    });

    [Fact]
    public void Notice_ArrivesByteForByte() => Holds(Fields, fields =>
    {
        var json = AsJson(fields);
        var arrived = Given.ThroughEnvelope(Given.Notice(json));
        return Encoding.UTF8.GetString(arrived.Notice.Json.Span) == json && arrived.Id == arrived.Notice.Id;
    });

    [Fact]
    public void DifferentTexts_AreDifferentParts() => Holds(Arb.From(Gen.Two(Text)), pair =>
        pair.Item1 == pair.Item2 || IdempotencyKey.EncodePart(pair.Item1) != IdempotencyKey.EncodePart(pair.Item2));

    [Fact]
    public void Part_CanBeReadBackUnlessItIsAHash() => Holds(Arb.From(Text), text =>
    {
        var part = IdempotencyKey.EncodePart(text);
        return part.Length <= IdempotencyKey.MaxPartLength && (part.StartsWith('~') || Uri.UnescapeDataString(part) == text);
    });

    [Fact]
    public void WholeNumber_IsTheSameAsItsText() => Holds(ArbMap.Default.ArbFor<ulong>(), number =>
    {
        var asNumber = Given.Notice(string.Create(CultureInfo.InvariantCulture, $$"""{"app_id":{{number}},"time":{{number}},"to":{{number}},"x":[{{number}}]}"""));
        var asText = Given.Notice(string.Create(CultureInfo.InvariantCulture, $$"""{"app_id":"{{number}}","time":"{{number}}","to":"{{number}}","x":["{{number}}"]}"""));
        return asNumber.Id == asText.Id && asNumber.ContentHash == asText.ContentHash && asNumber.AppId == asText.AppId && asNumber.Time == asText.Time;
    });

    [Fact]
    public void SpellingOfTheProtocolsWords_MakesNoDifference() => Holds(Spellings, spelt =>
    {
        var plain = Given.Notice("""{"app_id":2223343,"type":"event","direction":"outbound","leg":"b","status":"answered","callerid":"1","cmiuuid":"U"}""");
        var other = Given.Notice(spelt);
        return plain.Id == other.Id && plain.ContentHash == other.ContentHash && plain.Kind == other.Kind && plain.AnsweredBy == other.AnsweredBy;
    });

    [Fact]
    public void DifferentIdFields_NeverShareAnId() => Holds(Arb.From(Gen.Two(Text)), pair =>
    {
        // One that says nothing is no id.
        string[] ids =
        [
            .. IdFields.SelectMany(_ => new[] { pair.Item1, pair.Item2 }.Distinct(StringComparer.Ordinal), (field, text) => (Field: field, Text: text))
                .Where(id => !string.IsNullOrWhiteSpace(id.Text) && id.Text.Trim().ToLowerInvariant() is not ("null" or "undefined"))
                .Select(id => Given.Notice($$"""{"app_id":1,"{{id.Field}}":{{JsonSerializer.Serialize(id.Text)}}}""").Id),
        ];
        return ids.Distinct(StringComparer.Ordinal).Count() == ids.Length && ids.All(id => id.Length <= IdempotencyKey.MaxLength);
    });

    [Fact]
    public void Moment_ReadsBackFromSecondsAndFromMilliseconds() => Holds(Arb.From(Gen.Choose(1_000_000_000, int.MaxValue)), seconds =>
        Given.Notice($$"""{"app_id":1,"time":{{seconds}}}""").Time == DateTimeOffset.FromUnixTimeSeconds(seconds)
        && Given.Notice($$"""{"app_id":1,"time":{{seconds}}007}""").Time == DateTimeOffset.FromUnixTimeMilliseconds((seconds * 1000L) + 7));

    private static Gen<string> AnyCase(string word) =>
        from upper in Gen.ArrayOf(ArbMap.Default.GeneratorFor<bool>(), word.Length)
        select string.Concat(word.Zip(upper, (letter, isUpper) => isUpper ? char.ToUpperInvariant(letter) : letter));

    private static Gen<string> Spelt(Gen<string> word) =>
        from before in Space from text in word from after in Space select $"\"{before}{text}{after}\"";

    private static void Holds<T>(Arbitrary<T> inputs, Func<T, bool> law) =>
        Prop.ForAll(inputs, law).Check(Config.QuickThrowOnFailure.WithMaxTest(500));

    private static string AsJson(IEnumerable<KeyValuePair<string, string>> fields) =>
        "{" + string.Join(',', WithAnId(fields).Select(field => $"{JsonSerializer.Serialize(field.Key)}:{JsonSerializer.Serialize(field.Value)}")) + "}";

    // Without one it would not be a notice.
    private static IEnumerable<KeyValuePair<string, string>> WithAnId(IEnumerable<KeyValuePair<string, string>> fields) =>
        fields.Where(field => field.Key != "request_id").Append(new("request_id", "r"));

    // Half a surrogate pair is no text; and a space before a phone number stands for a plus sign only in a query.
    private static string WellFormed(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)).TrimStart();
}
