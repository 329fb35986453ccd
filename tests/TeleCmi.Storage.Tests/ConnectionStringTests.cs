using Azure.Storage.Queues;
using TeleCmi.Storage.Azure;

namespace TeleCmi.Storage.Tests;

/// <summary>A connection string is judged at the start as the SDK will judge it.</summary>
public sealed class ConnectionStringTests
{
    [Theory]
    [InlineData("UseDevelopmentStorage=true")]
    [InlineData("UseDevelopmentStorage=true;DevelopmentStorageProxyUri=http://azurite")]
    [InlineData("usedevelopmentstorage=TRUE;")]
    [InlineData("UseDevelopmentStorage=false")]
    [InlineData("DefaultEndpointsProtocol=https;AccountName=account;AccountKey=a2V5MQ==;EndpointSuffix=core.windows.net")]
    [InlineData("AccountName=account;AccountKey=a2V5")]
    [InlineData("AccountName=account;AccountKey=a2V5;QueueEndpoint=http://127.0.0.1:10001/account;TableEndpoint=http://127.0.0.1:10002/account;")]
    [InlineData("AccountName=account;AccountKey=a2V5;QueueEndpoint=127.0.0.1")]
    [InlineData("AccountName=account;AccountKey=!!!")]
    [InlineData("AccountName=account")]
    [InlineData("AccountKey=a2V5")]
    [InlineData("AccountName=account;SharedAccessSignature=sv=2025-01-05&sig=a%2Bb%3D")]
    [InlineData("QueueEndpoint=https://account.queue.core.windows.net;TableEndpoint=https://account.table.core.windows.net;SharedAccessSignature=sv=2025-01-05&sig=a%2Bb%3D")]
    [InlineData("SharedAccessSignature=sv=2025-01-05&sig=a%2Bb%3D")]
    [InlineData("AccountName=account;AccountName=other;AccountKey=a2V5")]
    [InlineData("not a connection string")]
    [InlineData("=true")]
    [InlineData(";")]
    public void ConnectionString_IsRightWhereTheSdkMakesAClientOfIt(string connection)
    {
        IsRight(connection).ShouldBe(Record.Exception(() => new QueueServiceClient(connection)) is null);
    }

    [Fact]
    public void EmptyKey_IsWrong_AlthoughTheSdkTakesIt() => IsRight("AccountName=account;AccountKey=").ShouldBeFalse();

    private static bool IsRight(string connection) =>
        new AzureStorageOptionsValidator().Validate(name: null, new AzureStorageOptions { ConnectionString = connection }).Succeeded;
}
