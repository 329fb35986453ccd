using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace TeleCmi.Events;

/// <summary>
/// One notice as TeleCMI sent it: a JSON object, kept byte for byte, with the documented fields typed as TeleCMI's
/// documentation types them. Numbers sent as text and text sent as numbers read the same. Of a repeated field
/// the last one counts; one that is null, blank, or the text <c>null</c> or <c>undefined</c> counts as absent (in <c>custom</c> and
/// <c>extra_params</c>, only null or empty). App id, type, direction, leg and status are given in one spelling: trimmed, in lower case,
/// a whole number without a fraction.
/// </summary>
/// <remarks>Fields: https://doc.telecmi.com/chub/docs/live-outgoing-out-answered.</remarks>
public sealed class Notice
{
    /// <summary>
    /// How deep a notice may nest. With the envelope around it this stays below 64, the usual limit of JSON readers,
    /// so that whoever gets a notice that was accepted here can read it.
    /// </summary>
    public const int MaxDepth = 60;

    /// <summary>
    /// The names of the fields that hold a phone number: in events and detail records, and <c>vn</c> in those of PIOPIY, another
    /// TeleCMI product. Numbers come as text or as JSON numbers.
    /// </summary>
    public static IReadOnlyList<string> PhoneNumberFields { get; } = ["to", "from", "callerid", "virtual_number", "vn"];

    private readonly NoticeFields _fields;
    private string? _id;
    private string? _contentHash;

    private Notice(ReadOnlyMemory<byte> json, in NoticeFields fields)
    {
        Json = json;
        _fields = fields;
        Kind = EventClassifier.KindOf(this);
    }

    private Notice(Notice original, ReadOnlyMemory<byte> json)
    {
        Json = json;
        _fields = original._fields;
        Kind = original.Kind;
        _id = original._id;
    }

    /// <summary>The notice as it came: one JSON object in UTF-8, without a byte-order mark.</summary>
    public ReadOnlyMemory<byte> Json { get; }

    /// <summary>What the notice announces.</summary>
    public EventKind Kind { get; }

    /// <summary>
    /// The idempotency key: the same for every delivery of the same notice, by POST or by GET.
    /// At most <see cref="IdempotencyKey.MaxLength"/> characters, each one of A-Z a-z 0-9 - . _ ~ : %.
    /// </summary>
    public string Id => _id ??= IdempotencyKey.Of(this);

    /// <summary>
    /// Names the conversation among those of every app, made and bounded as <see cref="Id"/> is: <c>&lt;app&gt;:&lt;conversation_uuid&gt;</c>,
    /// or <c>&lt;app&gt;:request~&lt;request_id&gt;</c>; null when the notice has neither. For what may happen once per conversation.
    /// </summary>
    public string? ConversationKey => IdempotencyKey.OfConversation(this);

    /// <summary>SHA-256 (hexadecimal) over the normalised fields: order, GET or POST, number or text make no difference.</summary>
    public string ContentHash => _contentHash ??= Events.ContentHash.Of(Json);

    /// <summary>What the notice is about: the conversation, else the leg. Opaque text from outside.</summary>
    public string? Subject => Text(SubjectField);

    /// <summary>Who picked up; null unless this is an answered outgoing call whose leg is known.</summary>
    public AnsweredBy? AnsweredBy => Kind is not EventKind.OutgoingAnswered ? null
        : Is(NoticeField.Leg, "a"u8) ? Events.AnsweredBy.Agent
        : Is(NoticeField.Leg, "b"u8) ? Events.AnsweredBy.Customer
        : null;

    /// <summary><c>app_id</c> (also spelt <c>appid</c>) as text, whatever JSON type it came as.</summary>
    public string? AppIdText => Word(NoticeField.AppId);

    /// <summary><c>app_id</c>: the account's application; null when absent or not a whole number.</summary>
    public long? AppId => long.TryParse(AppIdText, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : null;

    /// <summary><c>call_id</c>: not reliable for matching; store only.</summary>
    public string? CallId => Text(NoticeField.CallId);

    /// <summary><c>leg</c>: <c>a</c> the agent's side, <c>b</c> the called party's; absent in older formats.</summary>
    public string? Leg => Word(NoticeField.Leg);

    /// <summary><c>type</c>: <c>event</c> (live) or <c>cdr</c> (after the call).</summary>
    public string? Type => Word(NoticeField.Type);

    /// <summary><c>user</c>: the agent, as <c>&lt;agent&gt;_&lt;app&gt;</c>.</summary>
    public string? User => Text(NoticeField.User);

    /// <summary><c>cmiuuid</c> (also spelt <c>cmiuid</c>): identifies a leg, in all notices about it.</summary>
    public string? CmiUuid => Text(NoticeField.CmiUuid);

    /// <summary><c>direction</c>: <c>outbound</c> or <c>inbound</c>.</summary>
    public string? Direction => Word(NoticeField.Direction);

    /// <summary><c>callerid</c>: the number shown to the called party; may begin with <c>+</c>.</summary>
    public string? CallerId => Text(NoticeField.CallerId);

    /// <summary>
    /// <c>time</c>: the sender's clock, from seconds or milliseconds; null when absent or out of range. Not proven to be the
    /// moment of the answer: the documented started, answered and hangup samples of one leg carry the same value.
    /// </summary>
    public DateTimeOffset? Time => TryReadTime(Text(NoticeField.Time), out var time) ? time : null;

    /// <summary><c>custom</c> as text: usually JSON in a string, also seen as plain words; an object is given as its JSON.</summary>
    public string? Custom => Text(NoticeField.Custom);

    /// <summary><c>custom</c> as JSON, from an object or from text that holds JSON; null when it is neither.</summary>
    public JsonElement? CustomJson => TextAsJson(NoticeField.Custom);

    /// <summary><c>request_id</c>: only for click2call; the same on both legs.</summary>
    public string? RequestId => Text(NoticeField.RequestId);

    /// <summary><c>extra_params</c> as text: only for click2call; an object is given as its JSON.</summary>
    public string? ExtraParams => Text(NoticeField.ExtraParams);

    /// <summary><c>extra_params</c> as JSON, from an object or from text that holds JSON; null when it is neither.</summary>
    public JsonElement? ExtraParamsJson => TextAsJson(NoticeField.ExtraParams);

    /// <summary><c>status</c>: such as <c>answered</c>.</summary>
    public string? Status => Word(NoticeField.Status);

    /// <summary><c>to</c>: the called number.</summary>
    public string? To => Text(NoticeField.To);

    /// <summary><c>from</c>: the number that an incoming call came from.</summary>
    public string? From => Text(NoticeField.From);

    /// <summary><c>virtual_number</c>: in detail records, the account's own number.</summary>
    public string? VirtualNumber => Text(NoticeField.VirtualNumber);

    /// <summary><c>team</c>: of an incoming call, as <c>&lt;team&gt;_&lt;app&gt;</c>.</summary>
    public string? Team => Text(NoticeField.Team);

    /// <summary>
    /// <c>answeredsec</c>: in detail records, the leg's talk time in seconds. Leg a's of an outgoing call includes the customer's ringing.
    /// </summary>
    public int? AnsweredSeconds => Seconds(NoticeField.AnsweredSeconds);

    /// <summary><c>waitedsec</c>: in the record of a missed incoming call, how many seconds the caller waited.</summary>
    public int? WaitedSeconds => Seconds(NoticeField.WaitedSeconds);

    /// <summary><c>hangup_reason</c>: in detail records, such as <c>recv_bye</c> or <c>sent_reject</c>.</summary>
    public string? HangupReason => Text(NoticeField.HangupReason);

    /// <summary><c>record</c>: whether the call was recorded; <see cref="FileName"/> names the recording.</summary>
    public bool Recorded => Is(NoticeField.Record, "true"u8);

    /// <summary><c>filename</c>: of the recording. Opaque text from outside.</summary>
    public string? FileName => Text(NoticeField.FileName);

    /// <summary><c>voicemail</c>: in the record of a missed incoming call, whether voicemail is on.</summary>
    public bool Voicemail => Is(NoticeField.Voicemail, "true"u8);

    /// <summary><c>conversation_uuid</c>: shared by both legs; not always a UUID.</summary>
    public string? ConversationUuid => Text(NoticeField.ConversationUuid);

    /// <summary>Reads a notice from JSON.</summary>
    /// <param name="json">One JSON object in UTF-8; a byte-order mark is skipped. Not copied: it must stay unchanged.</param>
    /// <param name="notice">The notice, when it could be read.</param>
    /// <param name="fault">Otherwise what is wrong, as a sentence that repeats nothing of the input.</param>
    public static bool TryRead(
        ReadOnlyMemory<byte> json,
        [NotNullWhen(true)] out Notice? notice,
        [NotNullWhen(false)] out string? fault)
    {
        notice = null;
        if (!NoticeFields.TryFind(ref json, out var fields, out fault))
        {
            return false;
        }

        if (!fields.LookLikeTeleCmi)
        {
            fault = "The object has none of the fields that make a TeleCMI notice: app_id, cmiuuid, conversation_uuid, request_id or call_id, or type with direction and status.";
            return false;
        }

        notice = new Notice(json, fields);
        return true;
    }

    /// <summary>The same notice on memory of its own, to keep when the original's memory is used again.</summary>
    public Notice Copy() => new(this, Json.ToArray());

    internal NoticeField SubjectField => Has(NoticeField.ConversationUuid) ? NoticeField.ConversationUuid
        : Has(NoticeField.CmiUuid) ? NoticeField.CmiUuid : NoticeField.None;

    /// <summary>The raw JSON token of a field, quotes included; empty when the field is absent.</summary>
    internal ReadOnlySpan<byte> Token(NoticeField field) => _fields.Token(Json.Span, field);

    /// <summary>The token without its quotes, escapes still in it.</summary>
    internal ReadOnlySpan<byte> RawText(NoticeField field)
    {
        var token = Token(field);
        return token is [(byte)'"', ..] ? token[1..^1] : token;
    }

    internal bool Has(NoticeField field) => _fields.Has(field);

    /// <summary>Whether a field says this word, however it is spelt.</summary>
    internal bool Is(NoticeField field, ReadOnlySpan<byte> word)
    {
        var text = RawText(field);
        return Ascii.EqualsIgnoreCase(text, word)
            || ((text is [(byte)' ', ..] or [.., (byte)' '] || text.Contains((byte)'\\') || !Ascii.IsValid(text)) && Ascii.Equals(word, Word(field)));
    }

    /// <summary>The one spelling of a field's word (see <see cref="FieldText.Fold"/>); null when the field is absent.</summary>
    internal string? Word(NoticeField field) => Text(field) is { } text ? FieldText.Fold(text) : null;

    internal string? Text(NoticeField field)
    {
        var token = Token(field);
        return token.IsEmpty ? null
            : token[0] is not (byte)'"' ? Encoding.UTF8.GetString(token)
            : token.Contains((byte)'\\') ? Unescape(token)
            : Encoding.UTF8.GetString(token[1..^1]);
    }

    private static string Unescape(ReadOnlySpan<byte> token)
    {
        var reader = new Utf8JsonReader(token);
        reader.Read();
        return reader.GetString()!;
    }

    private int? Seconds(NoticeField field) =>
        double.TryParse(Text(field), NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds) && seconds is >= 0 and <= int.MaxValue ? (int)seconds : null;

    private JsonElement? TextAsJson(NoticeField field) =>
        Text(field) is { } text && JsonText.TryParse(text, out var json) ? json : null;

    internal static bool TryReadTime(string? text, out DateTimeOffset time)
    {
        // Below 1e12 the number counts seconds: 1e12 ms is 2001, 1e12 s is the year 33658.
        const double FirstMilliseconds = 1e12;
        time = default;
        if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) || !(number > 0))
        {
            return false;
        }

        var milliseconds = number < FirstMilliseconds ? number * 1000 : number;
        if (milliseconds > DateTimeOffset.MaxValue.ToUnixTimeMilliseconds())
        {
            return false;
        }

        time = DateTimeOffset.FromUnixTimeMilliseconds((long)milliseconds);
        return true;
    }
}
