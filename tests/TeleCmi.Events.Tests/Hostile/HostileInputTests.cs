using System.Buffers;
using System.Globalization;
using System.Text.Json;

namespace TeleCmi.Events.Tests.Hostile;

/// <summary>
/// What must hold whatever arrives. TELECMI_FUZZ_INPUTS sets how many inputs each test tries (3,000 unless set;
/// 200,000 for a long run). A failure names the seed, which gives the same input again.
/// </summary>
public sealed class HostileInputTests
{
    private static readonly int Inputs =
        int.TryParse(Environment.GetEnvironmentVariable("TELECMI_FUZZ_INPUTS"), NumberStyles.None, CultureInfo.InvariantCulture, out var inputs) ? inputs : 3_000;

    private static readonly SearchValues<char> IdCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:%");

    [Fact]
    public void HostileJson_IsReadSoundlyOrRefused()
    {
        var read = CountRead(mutator => Read(mutator, mutator.Json()));

        // Neither all nor nothing: else the inputs would test only one way through.
        read.ShouldBeInRange(Inputs / 5, Inputs * 4 / 5);
    }

    [Fact]
    public void HostileFields_AreReadSoundlyOrRefused()
    {
        var read = CountRead(mutator =>
        {
            var json = new ArrayBufferWriter<byte>();
            return NoticeForm.WriteJson(mutator.Form(), json) >= 0 && Read(mutator, json.WrittenSpan.ToArray());
        });

        read.ShouldBeInRange(Inputs / 5, Inputs);
    }

    [Fact]
    public void HostileReport_IsReadSoundlyOrRefused()
    {
        var read = CountRead(mutator =>
        {
            byte[] json = [.. "{\"cdr\":["u8, .. mutator.Json(), .. "]}"u8];
            if (!ReportEnvelope.TryRead(json, out var records))
            {
                return false;
            }

            foreach (var record in records)
            {
                if (Notice.TryRead(record, out var notice, out _))
                {
                    notice.Type.ShouldNotBeNull();
                    ReadEverything(notice);
                }
            }

            return true;
        });

        read.ShouldBeInRange(Inputs / 5, Inputs * 4 / 5);
    }

    [Fact]
    public void DamagedEnvelope_IsReadSoundlyOrRefused()
    {
        var read = CountRead(mutator =>
        {
            var envelope = mutator.Envelope();
            if (!EventEnvelope.TryRead(envelope, out var callEvent, out var fault))
            {
                fault.ShouldNotBeNullOrWhiteSpace();
                return false;
            }

            ShouldBeSafe(callEvent.Id);
            ReadEverything(callEvent.Notice);
            JsonElement.Parse(callEvent.Envelope.Span).ValueKind.ShouldBe(JsonValueKind.Object);
            return true;
        });

        read.ShouldBeInRange(Inputs / 5, Inputs * 4 / 5);
    }

    private static int CountRead(Func<Mutator, bool> tryRead)
    {
        var read = 0;
        for (var seed = 0; seed < Inputs; seed++)
        {
            try
            {
                read += tryRead(new Mutator(seed)) ? 1 : 0;
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"Seed {seed}: {e.Message}", e);
            }
        }

        return read;
    }

    private static bool Read(Mutator mutator, byte[] json)
    {
        if (!Notice.TryRead(json, out var notice, out var fault))
        {
            fault.ShouldNotBeNullOrWhiteSpace();
            return false;
        }

        ShouldBeSafe(notice.Id);
        ReadEverything(notice);

        var envelope = Given.Envelope(notice, Given.TraceParent);
        (envelope.Length - notice.Json.Length).ShouldBeLessThanOrEqualTo(EventEnvelope.MaxOverhead);
        ShouldBeCloudEvent(Given.Json(envelope));
        EventEnvelope.TryRead(envelope, out var arrived, out fault).ShouldBeTrue(fault);
        arrived!.Id.ShouldBe(notice.Id);
        arrived.Kind.ShouldBe(notice.Kind);
        ShouldBeTheSame(arrived.Notice, notice);
        arrived.Notice.Json.Span.SequenceEqual(notice.Json.Span.Trim(" \t\r\n"u8)).ShouldBeTrue();

        ShouldBeTheSame(Given.Notice(mutator.Shuffle(notice.Json)), notice);
        return true;
    }

    private static void ShouldBeTheSame(Notice one, Notice other)
    {
        one.Id.ShouldBe(other.Id);
        one.ContentHash.ShouldBe(other.ContentHash);
        one.Kind.ShouldBe(other.Kind);
    }

    private static void ShouldBeSafe(string id)
    {
        id.Length.ShouldBeInRange(1, IdempotencyKey.MaxLength);
        id.AsSpan().ContainsAnyExcept(IdCharacters).ShouldBeFalse();
    }

    private static void ShouldBeCloudEvent(JsonElement envelope)
    {
        foreach (var attribute in envelope.EnumerateObject().Where(attribute => attribute.Name != "data"))
        {
            attribute.Value.GetString().ShouldNotBeNullOrEmpty();
            attribute.Value.GetString()!.Any(char.IsControl).ShouldBeFalse($"a control character in {attribute.Name}");
        }

        Uri.IsWellFormedUriString(envelope.GetProperty("source").GetString(), UriKind.Relative).ShouldBeTrue("source is no URI reference");
    }

    private static void ReadEverything(Notice notice)
    {
        foreach (var property in typeof(Notice).GetProperties())
        {
            _ = property.GetValue(notice);
        }

        notice.ContentHash.ShouldMatch("^[0-9a-f]{64}$");
        if (notice.Time is { } time)
        {
            time.ShouldBeGreaterThanOrEqualTo(DateTimeOffset.UnixEpoch);
        }
    }
}
