namespace TeleCmi.LoadTest.Load;

/// <summary>Posts the event to a web address.</summary>
internal sealed class HttpSender(Uri address) : ISender
{
    private const int Ok = 200;

    private readonly HttpConnection _connection = new(address);

    public async Task<bool> SendAsync(long number) => await _connection.PostAsync(NumberedText.Body.Of(number)) == Ok;

    /// <summary>Connects, where somebody listens.</summary>
    public ValueTask<bool> TryConnectAsync() => _connection.TryConnectAsync();

    public void Dispose() => _connection.Dispose();
}
