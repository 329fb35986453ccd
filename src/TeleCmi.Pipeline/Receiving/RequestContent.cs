using System.Diagnostics.CodeAnalysis;
using TeleCmi.Events;

namespace TeleCmi.Pipeline.Receiving;

/// <summary>What a request brings: the body, or the fields of the query, and the JSON that the same notice has by POST. Valid until it is disposed.</summary>
internal sealed class RequestContent(int maxBytes) : IDisposable
{
    private readonly PooledBuffer _asItCame = new(maxBytes + 1);
    private PooledBuffer? _json;

    /// <summary>The body as it came, or the query's fields without the platform's secret.</summary>
    public ReadOnlyMemory<byte> AsItCame => _asItCame.Written;

    /// <summary>The notice's JSON.</summary>
    public ReadOnlyMemory<byte> Json => (_json ?? _asItCame).Written;

    /// <summary>The notice, once it has been read.</summary>
    public Notice? Notice { get; private set; }

    /// <summary>Reads the body, one byte more than may be where there is one: that tells that it is too large.</summary>
    public async Task FillAsync(WebhookRequest request, CancellationToken cancellation)
    {
        while (_asItCame.Length <= maxBytes && _asItCame.Length != request.ContentLength
            && await request.Body.ReadAsync(_asItCame.GetMemory()[..(maxBytes + 1 - _asItCame.Length)], cancellation) is > 0 and var read)
        {
            _asItCame.Advance(read);
        }
    }

    /// <summary>Makes the JSON of what came as fields, or finds that it is JSON already.</summary>
    /// <param name="request">The request whose body was read.</param>
    /// <param name="fault">Otherwise what is wrong.</param>
    public bool TryMakeJson(WebhookRequest request, [NotNullWhen(false)] out string? fault)
    {
        fault = null;
        if (_asItCame.Length == 0)
        {
            QueryFields.CopyWithoutSecrets(request.Query, _asItCame);
        }
        else if (!IsForm(request))
        {
            return true;
        }

        _json = new PooledBuffer(_asItCame.Length * 2);
        fault = NoticeForm.WriteJson(_asItCame.Written.Span, _json) < 0 ? "A field is not valid UTF-8 text." : null;
        return fault is null;
    }

    /// <summary>Reads the JSON as a notice.</summary>
    /// <param name="fault">Why it is none.</param>
    [MemberNotNullWhen(true, nameof(Notice))]
    public bool TryReadNotice([NotNullWhen(false)] out string? fault)
    {
        var isNotice = Notice.TryRead(Json, out var notice, out fault);
        Notice = notice;
        return isNotice;
    }

    public void Dispose()
    {
        _asItCame.Dispose();
        _json?.Dispose();
    }

    // Some senders label JSON as a form, curl among them, so the body's first character decides.
    private bool IsForm(WebhookRequest request) =>
        request.ContentType?.StartsWith("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase) == true
        && !AsItCame.Span.TrimStart(" \t\r\n\uFEFF"u8).StartsWith("{"u8);
}
