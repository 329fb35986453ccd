using TeleCmi.Events;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Pipeline.Calls;

/// <summary>Notices as bytes: each text once, ids and the keys of rows by their parts, which are texts of the notices too.</summary>
internal static class PackedNotices
{
    // Between the parts of ids and of rows' keys.
    private const string Separators = ":|";

    /// <summary>Packs them.</summary>
    public static byte[] Pack(IReadOnlyCollection<CallNotice> notices)
    {
        using var packer = new Packer();
        return packer.Pack(notices);
    }

    /// <summary>Unpacks them, in the same order.</summary>
    public static IEnumerable<CallNotice> Unpack(byte[] packed)
    {
        using var unpacker = new Unpacker(packed);
        foreach (var notice in unpacker.Unpack())
        {
            yield return notice;
        }
    }

    private sealed class Packer : IDisposable
    {
        private readonly MemoryStream _bytes = new();
        private readonly Dictionary<string, int> _texts = new(StringComparer.Ordinal);
        private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _known;
        private readonly BinaryWriter _output;

        public Packer()
        {
            _known = _texts.GetAlternateLookup<ReadOnlySpan<char>>();
            _output = new BinaryWriter(_bytes);
        }

        public byte[] Pack(IReadOnlyCollection<CallNotice> notices)
        {
            _output.Write7BitEncodedInt(notices.Count);
            foreach (var notice in notices)
            {
                Write(notice.Key.Partition);
                WriteParts(notice.Id);
                WriteRow(notice);
                _output.Write7BitEncodedInt((int)notice.Kind);
                _output.Write(notice.ReceivedAt.UtcTicks);
                Write(notice.Leg);
                Write(notice.AppId);
                Write(notice.ConversationId);
                Write(notice.RequestId);
                Write(notice.CmiUuid);
                Write(notice.User);
                Write(notice.From);
                Write(notice.To);
                Write(notice.CallerId);
                Write(notice.VirtualNumber);
                Write(notice.Team);
                Write(notice.Custom);
                Write(notice.Status);
                Write(notice.TalkSeconds);
                Write(notice.WaitSeconds);
                Write(notice.HangupReason);
                Write(notice.Recording);
                _output.Write(notice.Voicemail);
            }

            return _bytes.ToArray();
        }

        public void Dispose() => _output.Dispose();

        // It ends with the id, unless the row is a variant or the id has characters that a key must not have.
        private void WriteRow(CallNotice notice)
        {
            var isOfId = notice.Key.Row.EndsWith(notice.Id, StringComparison.Ordinal);
            _output.Write(isOfId);
            WriteParts(isOfId ? notice.Key.Row.AsSpan(0, notice.Key.Row.Length - notice.Id.Length) : notice.Key.Row);
        }

        private void WriteParts(ReadOnlySpan<char> text)
        {
            while (text.IndexOfAny(Separators) is >= 0 and var end)
            {
                Write(text[..end]);
                _output.Write((byte)text[end]);
                text = text[(end + 1)..];
            }

            Write(text);
            _output.Write((byte)0);
        }

        private void Write(string? text)
        {
            if (text is null)
            {
                _output.Write7BitEncodedInt(0);
            }
            else
            {
                Write(text.AsSpan());
            }
        }

        private void Write(ReadOnlySpan<char> text)
        {
            if (_known.TryGetValue(text, out var place))
            {
                _output.Write7BitEncodedInt(place);
                return;
            }

            var added = text.ToString();
            _texts.Add(added, _texts.Count + 1);
            _output.Write7BitEncodedInt(_texts.Count);

            // Most ids are, and take half the room as 16 bytes.
            var isGuid = CompactId.TryParse(added, out var guid);
            _output.Write(isGuid);
            if (isGuid)
            {
                _output.Write(guid.ToByteArray());
            }
            else
            {
                _output.Write(added);
            }
        }

        private void Write(long? number)
        {
            _output.Write(number.HasValue);
            if (number is { } there)
            {
                _output.Write7BitEncodedInt64(there);
            }
        }
    }

    private sealed class Unpacker(byte[] packed) : IDisposable
    {
        private readonly BinaryReader _input = new(new MemoryStream(packed));
        private readonly List<string> _texts = new(capacity: 32);
        private char[] _parts = new char[128];

        public IEnumerable<CallNotice> Unpack()
        {
            for (var left = _input.Read7BitEncodedInt(); left > 0; left--)
            {
                // In the order in which they were written.
                var (partition, id) = (Text()!, Parts());
                yield return new CallNotice
                {
                    Key = new RowKey(partition, _input.ReadBoolean() ? $"{Parts()}{id}" : Parts()),
                    Id = id,
                    Kind = (EventKind)_input.Read7BitEncodedInt(),
                    ReceivedAt = new DateTimeOffset(_input.ReadInt64(), TimeSpan.Zero),
                    Leg = Text(),
                    AppId = Text(),
                    ConversationId = Text(),
                    RequestId = Text(),
                    CmiUuid = Text(),
                    User = Text(),
                    From = Text(),
                    To = Text(),
                    CallerId = Text(),
                    VirtualNumber = Text(),
                    Team = Text(),
                    Custom = Text(),
                    Status = Text(),
                    TalkSeconds = Number(),
                    WaitSeconds = Number(),
                    HangupReason = Text(),
                    Recording = Text(),
                    Voicemail = _input.ReadBoolean(),
                };
            }
        }

        public void Dispose() => _input.Dispose();

        private string Parts()
        {
            var length = 0;
            while (true)
            {
                var part = Text()!;
                if (length + part.Length >= _parts.Length)
                {
                    Array.Resize(ref _parts, 2 * (length + part.Length + 1));
                }

                part.CopyTo(0, _parts, length, part.Length);
                length += part.Length;
                if (_input.ReadByte() is not 0 and var separator)
                {
                    _parts[length++] = (char)separator;
                }
                else
                {
                    return new string(_parts, 0, length);
                }
            }
        }

        private string? Text()
        {
            var place = _input.Read7BitEncodedInt();
            if (place > _texts.Count)
            {
                _texts.Add(_input.ReadBoolean() ? new Guid(_input.ReadBytes(16)).ToString() : _input.ReadString());
            }

            return place == 0 ? null : _texts[place - 1];
        }

        private long? Number() => _input.ReadBoolean() ? _input.Read7BitEncodedInt64() : null;
    }
}
