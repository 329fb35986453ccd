using System.Globalization;
using System.Text;
using System.Text.Json;
using TeleCmi.Events.Samples;

namespace TeleCmi.Events.Tests.Hostile;

/// <summary>
/// Makes hostile inputs out of the documented notices: first fields are renamed, repeated, dropped and given odd values,
/// then bytes are flipped, cut, inserted and moved. The same seed gives the same input.
/// </summary>
internal sealed class Mutator(int seed)
{
    private static readonly List<KeyValuePair<string, string>>[] Samples =
    [
        .. DocumentedNotices.Load().Select(sample => Given.Json(sample.Json).EnumerateObject()
            .Select(field => KeyValuePair.Create(JsonSerializer.Serialize(field.Name), field.Value.GetRawText())).ToList()),
    ];

    private static readonly string[] OddNames =
    [
        "\"\"", "\"app_id\"", "\"appid\"", "\"cmiuuid\"", "\"cmiuid\"", "\"conversation_uuid\"", "\"request_id\"", "\"call_id\"", "\"leg\"",
        "\"status\"", "\"type\"", "\"time\"", "\"custom\"", "\"extra_params\"", "\"parent_uid\"", "\"from\"", "\"team\"", "\"data\"", "\"id\"",
        "\"\\u0061pp_id\"", "\"cmi\\u0075uid\"", "\"app_id \"", "\"APP_ID\"", "\"app_id\\u0000\"", "\"\\ud83d\\ude00\"", "\"\\ud83d\"", "\"é\"",
        "\"__proto__\"", "\"$type\"", "\"" + string.Concat(Enumerable.Repeat("\\u0063", 17)) + "\"", "\"" + new string('n', 300) + "\"",
    ];

    private static readonly string[] OddValues =
    [
        "null", "true", "false", "\"\"", "\" \"", "{}", "[]", "[{}]", "{\"\":{}}", "0", "-0", "-0.0", "1", "1e0", "1E+400", "-1e-400", "1e999999999",
        "0.1e1", "9223372036854775807", "9223372036854775808", "1e12", "999999999999", "253402300799999.9", "01", "+1", ".5", "NaN", "Infinity",
        "\"NaN\"", "\"Infinity\"", "\"-5\"", "\"1e400\"", "\"0x10\"", "\"\u0661\u0662\"", "\"-\"", "\"~\"", "\"%\"", "\"%2D\"", "\":\"", "\"|\"",
        "\"../../../etc/passwd\"", "\"..\\\\..\\\\boot.ini\"", "\"..\"", "\".\"", "\"a/b?c#d\"", "\"\\u0000\"", "\"\\u0001\\u001f\\u007f\\u0085\"",
        "\"\\r\\nSet-Cookie: x=1\"", "\"line\\nbreak\"", "\"\\u2028\\u2029\"", "\"\\u202e\\u200b\\ufeff\"", "\"\\uffff\\ufffe\"", "\"\\ud83d\\ude00\"",
        "\"\\ud83d\"", "\"\\ude00\\ud83d\"", "\"\\uD83D\\u0041\"", "\"\\\\ud83d\"", "\"\\u00\"", "\"e\u0301\"", "\"\uFDFA\"", "\"\U0001F469\u200D\U0001F680\"", "\"\U0010FFFF\"",
        "\"<script>alert(1)</script>\"", "\"${jndi:ldap://x}\"", "\"'; DROP TABLE x; --\"", "\"{\\\"a\\\":1}\"", "\"{\\\"a\\\":\\\"\\\\ud83d\\\"}\"",
        "\"[[[[[[\"", "\"\\\"x\\\"\"", "\"null\"", "\"{} {}\"", "{\"a\":{\"b\":[1,2,{\"c\":null}]},\"a\":2}", "\"answered\"", "\"\\u0061nswered\"", "\"ANSWERED\"",
        "\"outbound\"", "\"event\"", "\"cdr\"", "\"b\"",
    ];

    private static readonly byte[][] Fragments =
    [
        .. new[]
        {
            "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u", "\\ud800", "\\u0000", "\0", "\n", "\uFEFF", "//", "/*", "null", "true", "1e9", "-", "\"\":", "{}", "[]",
            "&", "=", "%", "%00", "%ff", "%F0%9F%98%80", "+", ";", "?", "app_id=1&", "\u0085", "\u2028",
        }.Select(Encoding.UTF8.GetBytes),
        [0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0x80], [0xEF, 0xBB, 0xBF],
    ];

    private readonly Random _random = new(seed);

    /// <summary>A JSON body, more or less.</summary>
    public byte[] Json()
    {
        var fields = OddFields();
        var separator = Chance(10) ? " ,\r\n\t" : ",";
        var json = new StringBuilder();
        json.Append(Chance(50) ? "\uFEFF" : "").Append('{');
        json.AppendJoin(separator, fields.Select(field => $"{field.Key}:{field.Value}"));
        json.Append('}').Append(Chance(20) ? " \n" : "");
        return Damage(Encoding.UTF8.GetBytes(json.ToString()));
    }

    /// <summary>A query string or a form body, more or less.</summary>
    public byte[] Form()
    {
        var fields = OddFields().Select(field => Encode(field.Key.Trim('"')) + (Chance(20) ? "" : "=") + Encode(field.Value.Trim('"')));
        return Damage(Encoding.UTF8.GetBytes((Chance(2) ? "?" : "") + string.Join('&', fields)));
    }

    /// <summary>A message of the queue, damaged.</summary>
    public byte[] Envelope()
    {
        var sample = Samples[_random.Next(Samples.Length)];
        var notice = Given.Notice("{" + string.Join(',', sample.Select(field => $"{field.Key}:{field.Value}")) + "}");
        return Damage(Given.Envelope(notice, Given.TraceParent));
    }

    /// <summary>The same object with its fields in another order; repeated ones keep theirs, since the last one counts.</summary>
    public string Shuffle(ReadOnlyMemory<byte> json)
    {
        var groups = Given.Json(json).EnumerateObject().GroupBy(field => field.Name, StringComparer.Ordinal).ToArray();
        _random.Shuffle(groups);
        return "{" + string.Join(',', groups.SelectMany(group => group).Select(field => $"{JsonSerializer.Serialize(field.Name)}:{field.Value.GetRawText()}")) + "}";
    }

    private List<KeyValuePair<string, string>> OddFields()
    {
        List<KeyValuePair<string, string>> fields = [.. Samples[_random.Next(Samples.Length)]];
        for (var times = _random.Next(4); times > 0 && fields.Count > 0; times--)
        {
            var at = _random.Next(fields.Count);
            var (name, value) = fields[at];
            switch (_random.Next(6))
            {
                case 0:
                    fields.RemoveAt(at);
                    break;
                case 1:
                    fields[at] = new(OddNames[_random.Next(OddNames.Length)], value);
                    break;
                case 2:
                    fields.Insert(_random.Next(fields.Count + 1), new(name, OddValue()));
                    break;
                case 3:
                    fields.Add(new(OddNames[_random.Next(OddNames.Length)], OddValue()));
                    break;
                default:
                    fields[at] = new(name, OddValue());
                    break;
            }
        }

        return fields;
    }

    private string OddValue()
    {
        switch (_random.Next(20))
        {
            case 0:
                var depth = Chance(2) ? _random.Next(50, 70) : _random.Next(1000);
                return Chance(2)
                    ? new string('[', depth) + new string(']', depth)
                    : string.Concat(Enumerable.Repeat("{\"a\":", depth)) + "1" + new string('}', depth);
            case 1:
                return new string('9', _random.Next(1, 500));
            case 2:
                return '"' + new string((char)_random.Next('!', '#'), 1).Replace("\"", "\\\"", StringComparison.Ordinal) + new string('x', _random.Next(5000)) + '"';
            case 3:
                return string.Create(CultureInfo.InvariantCulture, $"{_random.NextDouble() * Math.Pow(10, _random.Next(-10, 20)):R}");
            case 4:
                return JsonSerializer.Serialize(new string([.. Enumerable.Range(0, _random.Next(1, 120)).Select(_ => (char)_random.Next(0x10000))]));
            case 5:
                return JsonSerializer.Serialize(OddValues[_random.Next(OddValues.Length)]);
            default:
                return OddValues[_random.Next(OddValues.Length)];
        }
    }

    private byte[] Damage(byte[] whole)
    {
        List<byte> bytes = [.. whole];
        // Half stay as they are, so that odd but readable inputs get past the first check.
        for (var times = Chance(2) ? 0 : _random.Next(1, 4); times > 0 && bytes.Count > 0; times--)
        {
            var at = _random.Next(bytes.Count);
            var length = _random.Next(1, Math.Min(40, bytes.Count - at) + 1);
            switch (_random.Next(7))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << _random.Next(8));
                    break;
                case 1:
                    bytes[at] = (byte)_random.Next(256);
                    break;
                case 2:
                    bytes.RemoveRange(at, length);
                    break;
                case 3:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
                case 4:
                    bytes.InsertRange(_random.Next(bytes.Count), bytes.GetRange(at, length));
                    break;
                default:
                    bytes.InsertRange(at, Fragments[_random.Next(Fragments.Length)]);
                    break;
            }
        }

        return [.. bytes];
    }

    private string Encode(string text) => Chance(3) ? text : Uri.EscapeDataString(text);

    private bool Chance(int oneIn) => _random.Next(oneIn) == 0;
}
